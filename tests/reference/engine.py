"""The slow, obvious engine: each command by the rules, with lists scanned anew.

Written from docs/matching.md and the rules of orders, not from orders/engine. What it knows is in
tests/reference/state.py, what it refuses in tests/reference/checks.py.
"""

import dataclasses
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any

from orders.domain import commands
from orders.domain.market_commands import (
    CheckMargin,
    PlanMarketState,
    SetBands,
    SetSessions,
    WithdrawMarketPlan,
)
from orders.domain.session_commands import EndSession, OpenSession
from risk.domain.commands import EvaluateLosses, JoinDesk, SetLimit, SwitchTrading
from tests.reference import bands, calls, groups, plans
from tests.reference.auction import (
    closing_due,
    has_ended,
    opening_due,
    own_crossings,
    price_for_auction,
    uncross,
)
from tests.reference.book import OPPOSITE, StreetFill, TakerFill
from tests.reference.changing import amend, replace
from tests.reference.checks import check_passage, check_terms, incoming, size
from tests.reference.lifetime import end_of
from tests.reference.limits import set_limit
from tests.reference.losses import evaluate, move
from tests.reference.margin import excess, opens, set_margin
from tests.reference.pace import check_pace, note_let_in
from tests.reference.placing import Outcome, place
from tests.reference.restricting import Restriction, restrict
from tests.reference.state import (
    HOUSE,
    STREET,
    UNIT,
    Order,
    ReferenceState,
    Refused,
    Terms,
    Told,
    whole,
)
from tests.reference.stops import protection
from tests.reference.trailing import follow


class ReferenceEngine(ReferenceState):
    """Applies commands as the engine must, and says what the engine must answer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.plans = plans.Plans()
        self.bands = bands.Bands()
        self.calls = calls.Calls()

    def apply(self, command: commands.AnyCommand, now_ns: int) -> object:
        """What the engine must answer: a reason that refuses, or what became of the orders."""
        self.told_before.update(told[1] for told in self.told)
        self.told, self.auction_sides = [], []
        self.now_ns = now_ns
        self.orders = [order for order in self.orders if order.is_open]  # the ended are history
        if isinstance(command, commands.OrderBatch):
            return ("BATCH", [self._carry_out(part, now_ns) for part in command.orders])
        return self._carry_out(command, now_ns)

    def _carry_out(self, command: commands.AnyCommand, now_ns: int) -> object:
        self.marks = set()
        plans.let_time_pass(self, self.plans)
        bands.let_pauses_end(self, self.bands, self.plans)
        self._hold_auctions(now_ns)
        try:
            return self._handlers[type(command)](command)
        except Refused as refused:
            return refused.reason
        finally:
            calls.judge_touched(self, self.calls)

    @cached_property
    def _handlers(self) -> dict[type, Callable[[Any], object]]:  # Any: each its command
        return {
            commands.SubmitOrder: self._submit_and_elect,
            commands.ReplaceOrder: self._replace_and_elect,
            commands.AmendOrder: self._amend,
            commands.CancelOrder: self._cancel,
            commands.CancelAllOrders: self._cancel_all,
            commands.ExpireOrders: self._expire,
            commands.SetDeadMan: self._watch,
            OpenSession: self._open_session,
            EndSession: self._end_session,
            commands.SetStpMode: self._set_stp_mode,
            commands.MoveCash: self._move_cash,
            commands.SetInstrumentStatus: self._set_status,
            SetSessions: self._set_sessions,
            PlanMarketState: lambda command: plans.plan(self, self.plans, command),
            WithdrawMarketPlan: self._withdraw_plan,
            CheckMargin: self._check_margin,
            SetBands: lambda command: bands.set_bands(self, self.bands, command),
            commands.SetFeeTier: self._set_fee_tier,
            commands.SetAccountTier: self._set_account_tier,
            commands.ConfigureAccount: self._configure,
            commands.SetMargin: self._set_margin,
            commands.QuoteStreet: self._quote,
            commands.PrintStreetTrade: self._print,
            SwitchTrading: self._restrict,
            JoinDesk: self._restrict,
            SetLimit: lambda command: set_limit(self, command),
            EvaluateLosses: lambda command: evaluate(self, self._end),
        }

    # --- orders

    def _submit_and_elect(self, command: commands.SubmitOrder) -> object:
        try:
            order = self._submit(command)
        finally:
            self._elect(self.now_ns)
        return self.seen(order)

    def _submit(self, command: commands.SubmitOrder) -> Order:
        if command.deadline_ns is not None and command.deadline_ns < self.now_ns:  # D1
            raise Refused("DEADLINE_PASSED")
        order = self.draft(command)
        legs = groups.draft_legs(self, order, command)
        check_pace(self, order)
        follow(self, order)
        size(self, order)
        waits = price_for_auction(self, order)
        check_passage(self, order, self.now_ns)
        groups.check_passage_of_legs(self, order, legs)
        order.status = "QUEUED" if waits else "ACCEPTED"
        note_let_in(self, order)
        order.time = self.next_time()
        self.orders.append(order)
        self.tell("OrderQueued" if waits else "OrderAccepted", order)
        groups.let_in(self, order, legs)
        if order.stop is None and not waits:
            self.enter(order, self.now_ns)
        return order

    def draft(self, command: commands.SubmitOrder) -> Order:
        """The order that the command asks for, once its terms are right."""
        terms = check_terms(self, command)
        quantity = whole(command.quantity, terms.lot)
        assert quantity is not None
        side, kind = command.side.value, command.time_in_force.value
        stop = None if command.stop_price is None else whole(command.stop_price, terms.tick)
        limit = None if command.limit_price is None else whole(command.limit_price, terms.tick)
        if limit is None and stop is not None and side == "BUY":
            limit = protection(stop, terms.tick)
        return Order(
            id=command.order_id,
            account=command.account_id,
            terms=terms,
            side=side,
            limit=limit,
            stop=stop,
            quantity=quantity,
            time_in_force=kind,
            expires_ns=end_of(self, command, terms),
            asked=command,
            fee_cap=self.fees.rates(command.account_id)[1],
            strategy=command.strategy,
            key=command.key_id,
            stp_mode=command.stp_mode.value
            if command.stp_mode
            else self.stp_modes.get(command.account_id, "REJECT"),
            opens=opens(self, command.account_id, terms, side),
            is_market=command.type.value == "MARKET",
            display=int(Fraction(command.display_quantity or 0) / terms.lot),
        )

    def _restrict(self, command: Restriction) -> object:
        return restrict(self, command, self._end)

    def enter(self, order: Order, now_ns: int) -> None:
        """O1, F1 to F4."""
        symbol = order.terms.symbol
        inside = bands.limits(self, self.bands, symbol)
        outcome = place(
            self.books[symbol], dataclasses.replace(incoming(self, order), inside=inside), now_ns
        )
        self._settle(order, outcome)
        if outcome.reason == "VOLATILITY_BAND":
            self.marks.add("a walk began a pause")
            bands.interrupt(self, self.bands, self.plans, symbol)

    def _elect(self, now_ns: int) -> None:
        """E3, E6, E7: those whose turn it is enter, first come, first served."""
        queue = self.elections.queue
        for _ in range(self.max_elections):
            if not queue:
                return
            order = queue.pop(0)
            if order.is_open and order.status == "HELD":
                groups.take_turn(self, order)
            elif order.is_open and self.market(order.terms) == "OPEN":
                order.status, order.elected = "TRIGGERED", True
                if order.mark is not None and order.stop is not None and order.side == "BUY":  # G4
                    order.limit = protection(order.stop, order.terms.tick)
                    self.marks.add("a trailing buy entered")
                order.time = self.next_time()
                self.tell("OrderTriggered", order)
                groups.after_election(self, order)
                self.enter(order, now_ns)

    def _settle(self, taker: Order, outcome: Outcome) -> None:
        for effect in outcome.effects:
            if len(effect) == 3:
                what, own_id, lots = effect
                (own,) = [order for order in self.orders if order.id == own_id and order.is_open]
                self._prevent(taker, own, what, lots)
            else:
                self._trade(taker, effect)
        if outcome.reason == "SELF_TRADE" and taker.stp_mode != "REJECT":
            self.marks.add(f"{taker.stp_mode} ended the taker")
        if outcome.reason is not None and taker.is_open:
            self._end(taker, outcome.reason)
        if outcome.resting:
            taker.shown = min(taker.display, outcome.resting)

    def _prevent(self, taker: Order, own: Order, what: str, lots: int) -> None:
        """O2: what happens to the resting order, then to the taker."""
        self.marks.add(f"{taker.stp_mode} met an own order")
        if own.account != taker.account:
            self.marks.add("an own order of another account")
        if what == "EXPIRE":
            self._end(own, "SELF_TRADE")
            return
        for order in (own, taker):
            order.prevented += lots
            order.shown = min(order.shown, order.quantity - order.filled - order.prevented)
            if order.leaves == 0:
                self._end(order, "SELF_TRADE")
            else:
                self.tell("OrderDecremented", order)
                groups.lessen(self, order, lots)

    def _trade(self, taker: Order, fill: TakerFill) -> None:
        maker_id, _, price, lots, _ = fill
        makers = [order for order in self.orders if order.id == maker_id and order.is_open]
        other: object = STREET
        if maker_id is None:
            self.trade_position(STREET, taker.terms, taker.side != "BUY", price, lots)
        else:
            (maker,) = makers
            other = maker.account
        self.pay(taker, other, price, lots)
        for order in (*makers, taker):
            self._fill(order, price, lots, is_maker=order is not taker)
        self._traded(taker.terms, price)

    def _traded(self, terms: Terms, price: int, *, is_auction: bool = False) -> None:
        bands.traded(self, self.bands, terms.symbol, price, is_auction=is_auction)
        is_open = self.market(terms) == "OPEN"  # E7: else nobody is elected
        orders = [order for order in self.orders if order.terms is terms and is_open]
        self.elections.traded(terms.symbol, orders, price, self.now_ns)

    def _fill(self, order: Order, price: int, lots: int, *, is_maker: bool) -> None:
        amount = price * lots * order.terms.each
        self._touch(order.account)
        self.cash[order.account] += amount if order.side == "SELL" else -amount
        fee = self.fees.charge(order.account, amount, order.fee_cap, is_maker=is_maker)
        self.cash[order.account] -= fee
        self.cash[HOUSE] += fee
        if fee:
            self.transfers.append((order.account, HOUSE, fee))
        self.trade_position(order.account, order.terms, order.side == "BUY", price, lots)
        order.filled += lots
        if order.shown:  # I2
            order.shown = max(order.shown - lots, 0)
            left = order.quantity - order.filled - order.prevented
            if order.shown == 0 and left > 0:
                order.shown, order.time = min(order.display, left), self.next_time()
        is_last = order.filled + order.prevented == order.quantity
        order.status = "FILLED" if is_last else "PARTIALLY_FILLED"
        kind = "OrderFilled" if is_last else "OrderPartiallyFilled"
        groups.before_fill_is_told(self, order, lots)
        self.tell(kind, order, (price, lots, order.side, fee))
        groups.after_fill(self, order, lots)

    def _cancel(self, command: commands.CancelOrder) -> object:
        for order in self.open_orders(command.account_id):
            if order.id == command.order_id:
                who = "USER" if command.actor_id is None else "OPERATOR"  # C4
                return [self._end(order, f"{who}_REQUESTED")]
        raise Refused("ORDER_NOT_OPEN")

    def _cancel_all(self, command: commands.CancelAllOrders) -> object:
        """C3: those of the symbols and of the side, if some are named."""
        found = [self.find(symbol) for symbol in command.symbols]
        if None in found:
            raise Refused("INSTRUMENT_UNKNOWN")
        named = [
            order
            for order in self.open_orders(command.account_id)
            if (not found or order.terms in found)
            and (command.side is None or order.side == command.side.value)
        ]
        return [self._end(order, "USER_REQUESTED") for order in named]

    def _replace_and_elect(self, command: commands.ReplaceOrder) -> object:
        try:
            order = replace(self, command)
        finally:
            self._elect(self.now_ns)
        return self.seen(order)

    def _amend(self, command: commands.AmendOrder) -> object:
        return self.seen(amend(self, command))

    def _expire(self, command: commands.ExpireOrders) -> object:
        ended = [self._end_by_time(order) for order in self._due(self.now_ns)]
        ended += self._fire(self.now_ns)
        self._elect(self.now_ns)
        return ended

    def _due(self, now_ns: int) -> list[Order]:
        return [
            order
            for order in self.orders
            if order.is_open and order.expires_ns is not None and order.expires_ns <= now_ns
        ]

    def _end_by_time(self, order: Order) -> object:
        is_auctions = order.time_in_force in ("OPG", "CLS")
        return self._end(order, order.time_in_force + ("_REMAINDER" if is_auctions else "_END"))

    def next_time(self) -> int:
        self.times += 1
        return self.times

    def _hold_auctions(self, now_ns: int) -> None:
        """X8: what is due is held before anything else."""
        if not any(order.status == "QUEUED" for order in self.orders):
            return
        for terms in self.terms:
            for due in (closing_due(self, terms), opening_due(self, terms)):
                for order in [order for order in due if has_ended(order, now_ns)]:
                    self._end_by_time(order)
                queued = [order for order in due if order.is_open]
                if queued:
                    self._hold_auction(terms, queued, now_ns)

    def _hold_auction(self, terms: Terms, queued: list[Order], now_ns: int) -> None:
        """X5 to X7: who may not, at what price, who with whom, and what becomes of the rest."""
        for order in own_crossings(self, terms, queued):
            self._end(order, "SELF_TRADE")
        times = {order.id: order.time for order in self.orders}
        for buy, sell, price, lots in uncross(self, terms, queued):
            pair = sorted([item for item in (buy, sell) if item], key=lambda item: times[item.id])
            taker, book = pair[-1], self.books[terms.symbol]
            self.auction_sides.append(len(pair))
            if len(pair) == 1:
                book.auction_street(OPPOSITE[taker.side], lots, now_ns)
                self.trade_position(STREET, terms, taker.side != "BUY", price, lots)
            self.pay(taker, pair[0].account if len(pair) == 2 else STREET, price, lots)
            for order in pair:
                book.auction_fill(order.id, lots, now_ns)
                self._fill(order, price, lots, is_maker=order is not taker)
            self._traded(terms, price, is_auction=True)
        for order in [order for order in queued if order.is_open]:
            self._go_on(order, now_ns)

    def _go_on(self, order: Order, now_ns: int) -> None:
        if order.time_in_force in ("OPG", "CLS"):
            self._end(order, f"{order.time_in_force}_REMAINDER")
        elif order.is_market:
            self._end(order, "LIQUIDITY_EXHAUSTED")
        else:
            if order.status == "QUEUED":
                order.status = "ACCEPTED"
                self.tell("OrderReleased", order)
            self.enter(order, now_ns)

    def _end(self, order: Order, reason: str) -> object:
        """End it, unless its group has ended by then, and what ends with it (N8)."""
        if order.is_open:
            left = order.leaves
            self.close(order, reason)
            groups.after_end(self, order, reason, left)
        return self.seen(order)

    def end(self, order: Order, reason: str) -> object:
        """The same, for margin calls."""
        return self._end(order, reason)

    def close(self, order: Order, reason: str) -> None:
        """End this order alone."""
        self.books[order.terms.symbol].cancel(order.id)
        order.status = "EXPIRED" if reason in ("DAY_END", "GTD_END") else "CANCELED"
        order.reason = reason
        self.tell("OrderExpired" if order.status == "EXPIRED" else "OrderCanceled", order)
        if order.part:
            self.marks.add(reason)

    # --- keys that asked to be watched (docs/requests.md D1 to D4)

    def _watch(self, command: commands.SetDeadMan) -> object:
        if command.account_id not in self.cash_accounts:
            raise Refused("ACCOUNT_UNKNOWN")
        self.watched = [row for row in self.watched if row[0] != command.key_id]
        if command.timeout_seconds:
            fires_ns = self.now_ns + command.timeout_seconds * 10**9
            self.watched.append((command.key_id, command.account_id, fires_ns))
            return ("WATCHED", fires_ns)
        return ("WATCHED", None)

    # --- sockets whose orders end with them (docs/requests.md N1, N2)

    def _open_session(self, command: OpenSession) -> object:
        if command.account_id not in self.cash_accounts:
            raise Refused("ACCOUNT_UNKNOWN")
        if command.session_id in self.sessions:
            raise Refused("SESSION_ENDED")
        self.sessions[command.session_id] = command.account_id
        return "DONE"

    def _end_session(self, command: EndSession) -> object:
        account = self.sessions.pop(command.session_id, 0)
        return [
            self._end(order, "DISCONNECTED")
            for order in self.open_orders(account)
            if order.asked.session_id == command.session_id
        ]

    def _fire(self, now_ns: int) -> list[object]:
        ended: list[object] = []
        for key, account, fires_ns in sorted(self.watched):
            if fires_ns <= now_ns:
                for order in self.open_orders(account):
                    if order.key == key:
                        ended.append(self._end(order, "DEAD_MAN"))
        self.watched = [row for row in self.watched if row[2] > now_ns]
        return ended

    # --- cash, halts, the street

    def _move_cash(self, command: commands.MoveCash) -> object:
        amount, account = Fraction(command.amount), command.account_id
        if account not in self.cash_accounts:
            raise Refused("ACCOUNT_UNKNOWN")
        if not amount or abs(amount) > 10_000_000_000 or amount % UNIT:
            raise Refused("AMOUNT_INVALID")
        free = self.cash[account] - self.locked_cash(account)
        if self.margin.is_on(account):  # L8
            free = max(min(free, excess(self, account)), Fraction(0))
        if -amount > free:
            raise Refused("FUNDS_INSUFFICIENT")
        self.cash[account] += amount
        self._touch(account)
        self.cash[HOUSE] -= amount
        move(self, account, amount)
        payer, payee = (HOUSE, account) if amount > 0 else (account, HOUSE)
        self.transfers.append((payer, payee, abs(amount)))
        kind = "CashDeposited" if command.kind == "DEPOSIT" else "CashAdjusted"
        self.told.append((kind, account, self.cash[account], self.locked_cash(account)))
        return "BALANCE"

    def _set_stp_mode(self, command: commands.SetStpMode) -> object:
        if command.account_id not in self.cash_accounts:
            raise Refused("ACCOUNT_UNKNOWN")
        self.stp_modes[command.account_id] = command.mode.value
        return "DONE"

    def _set_sessions(self, command: SetSessions) -> object:
        self.hours.change(command.calendar, command.sessions, command.removed)
        return "DONE"

    def _set_status(self, command: commands.SetInstrumentStatus) -> object:
        terms = self.find(command.symbol)
        if terms is None:
            raise Refused("INSTRUMENT_UNKNOWN")
        bands.end_pause(self, self.bands, self.plans, terms.symbol)
        plans.set_by_hand(self, self.plans, terms.symbol, command.status)
        self._hold_auctions(self.now_ns)
        self._elect(self.now_ns)
        return "DONE"

    def _check_margin(self, command: CheckMargin) -> object:
        last = calls.look(self, command.after)
        self._elect(self.now_ns)
        return ("CHECKED", last)

    def _withdraw_plan(self, command: WithdrawMarketPlan) -> object:
        try:
            return plans.withdraw(self, self.plans, command)
        finally:
            self._hold_auctions(self.now_ns)
            self._elect(self.now_ns)

    def _set_fee_tier(self, command: commands.SetFeeTier) -> object:
        if not self.fees.set_tier(command.code, command.maker_bps, command.taker_bps):
            raise Refused("FEE_RATES_INVALID")
        return "DONE"

    def _set_account_tier(self, command: commands.SetAccountTier) -> object:
        if command.account_id not in self.cash_accounts:
            raise Refused("ACCOUNT_UNKNOWN")
        if command.code and command.code not in self.fees.tiers:
            raise Refused("FEE_TIER_UNKNOWN")
        self.fees.accounts[command.account_id] = command.code
        return "DONE"

    def _configure(self, command: commands.ConfigureAccount) -> object:
        if command.account_id not in self.cash_accounts:
            raise Refused("ACCOUNT_UNKNOWN")
        if command.suspend_trade is not None:
            self.suspended.discard(command.account_id)
        if command.suspend_trade:
            self.suspended.add(command.account_id)
        if command.no_shorting is not None:
            self.margin.long_only.discard(command.account_id)
        if command.no_shorting:
            self.margin.long_only.add(command.account_id)
        return "DONE"

    def _set_margin(self, command: commands.SetMargin) -> object:
        done = set_margin(self, command)
        if done == "DONE":
            self.calls.touched.add(command.account_id)
        return done

    def _touch(self, account: int) -> None:
        if self.margin.is_on(account):
            self.calls.touched.add(account)

    def _quote(self, command: commands.QuoteStreet) -> str:
        self._take_quote(command, self.now_ns)
        self._elect(self.now_ns)
        return "DONE"

    def _print(self, command: commands.PrintStreetTrade) -> str:
        self._take_print(command, self.now_ns)
        self._elect(self.now_ns)
        return "DONE"

    def _take_quote(self, command: commands.QuoteStreet, now_ns: int) -> None:
        terms = self.find(command.symbol)
        if terms is None or self.states[terms.symbol] == "HALTED":
            return
        sides = []
        for levels in (command.bids, command.asks):
            whole_levels = [(whole(p, terms.tick), whole(q, terms.lot)) for p, q in levels]
            if any(None in level for level in whole_levels):
                return  # off the grid: never guessed at
            sides.append([(p, q) for p, q in whole_levels if p is not None and q is not None])
        bids, asks = sides
        book = self.books[terms.symbol]
        if self.market(terms) not in ("CLOSED", "AUCTION") and bands.quote_leaves(
            self, self.bands, terms.symbol, bids, asks
        ):
            self.marks.add("a quote began a pause")
            bands.interrupt(self, self.bands, self.plans, terms.symbol)
            if self.states[terms.symbol] == "HALTED":
                return
        if self.market(terms) in ("CLOSED", "AUCTION"):
            book.show_street(bids, asks, now_ns, now_ns)
        else:
            self._street_fills(book.set_street(bids, asks, now_ns, now_ns))

    def _take_print(self, command: commands.PrintStreetTrade, now_ns: int) -> None:
        terms = self.find(command.symbol)
        if terms is None or self.states[terms.symbol] == "HALTED":
            return
        price, lots = whole(command.price, terms.tick), whole(command.quantity, terms.lot)
        if price is None or lots is None or price <= 0 or lots <= 0:
            return
        book = self.books[terms.symbol]
        if self.market(terms) in ("CLOSED", "AUCTION"):
            return
        if bands.print_leaves(self, self.bands, terms.symbol, price, command.aggressor.value):
            self.marks.add("a print began a pause")
            bands.interrupt(self, self.bands, self.plans, terms.symbol)
            return
        if book.is_inside_street(price, now_ns):
            self._traded(terms, price)
        self._street_fills(book.street_trade(price, lots, command.aggressor.value, now_ns))

    def _street_fills(self, fills: Iterable[StreetFill]) -> None:
        """M1, M2: resting orders trade with the street at their own price."""
        for order_id, price, lots, _ in fills:
            (order,) = [order for order in self.orders if order.id == order_id and order.is_open]
            self.trade_position(STREET, order.terms, order.side != "BUY", price, lots)
            self.pay(order, STREET, price, lots)
            self._fill(order, price, lots, is_maker=True)
            self._traded(order.terms, price)

    # --- telling

    def tell(self, kind: str, order: Order, fill: Told | None = None) -> None:
        """Note the event that the engine must append."""
        total, locked = self.cash[order.account], self.locked_cash(order.account)
        self.told.append(
            (
                kind,
                order.account,
                order.id,
                order.status,
                order.filled,
                fill,
                total,
                locked,
                order.quantity,
            )
        )

    def seen(self, order: Order) -> object:
        """What the engine must answer about the order."""
        return (order.id, order.status, order.filled, order.reason)
