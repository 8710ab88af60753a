"""The slow, obvious engine: each command by the rules, with lists scanned anew.

Written from docs/matching.md and the rules of orders, not from orders/engine. What it knows is in
tests/reference/state.py, what it refuses in tests/reference/checks.py.
"""

import dataclasses
from collections.abc import Callable
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
from tests.reference import account_terms, bands, calls, groups, plans, street, watching
from tests.reference.auction import has_ended, price_for_auction
from tests.reference.book import TakerFill
from tests.reference.changing import amend, replace
from tests.reference.checks import check_passage, check_terms, held_back, incoming, size
from tests.reference.collecting import hold_auctions
from tests.reference.lifetime import end_of
from tests.reference.limits import set_limit
from tests.reference.losses import evaluate
from tests.reference.margin import opens
from tests.reference.pace import check_pace, note_let_in
from tests.reference.placing import Outcome, place
from tests.reference.restricting import restrict
from tests.reference.state import (
    HOUSE,
    STREET,
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
        hold_auctions(self, now_ns)
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
            commands.AmendOrder: lambda command: self.seen(amend(self, command)),
            commands.CancelOrder: self._cancel,
            commands.CancelAllOrders: self._cancel_all,
            commands.ExpireOrders: self._expire,
            commands.SetDeadMan: lambda command: watching.watch(self, command),
            OpenSession: lambda command: watching.open_session(self, command),
            EndSession: lambda command: watching.end_session(self, command),
            commands.SetStpMode: lambda command: account_terms.set_stp_mode(self, command),
            commands.MoveCash: lambda command: account_terms.move_cash(self, command),
            commands.SetInstrumentStatus: self._set_status,
            SetSessions: lambda command: account_terms.set_sessions(self, command),
            PlanMarketState: lambda command: plans.plan(self, self.plans, command),
            WithdrawMarketPlan: self._withdraw_plan,
            CheckMargin: self._check_margin,
            SetBands: lambda command: bands.set_bands(self, self.bands, command),
            commands.SetFeeTier: lambda command: account_terms.set_fee_tier(self, command),
            commands.SetAccountTier: lambda command: account_terms.set_account_tier(self, command),
            commands.ConfigureAccount: lambda command: account_terms.configure(self, command),
            commands.SetMargin: lambda command: account_terms.set_margin(self, command),
            commands.QuoteStreet: self._quote,
            commands.PrintStreetTrade: self._print,
            SwitchTrading: lambda command: restrict(self, command, self.end),
            JoinDesk: lambda command: restrict(self, command, self.end),
            SetLimit: lambda command: set_limit(self, command),
            EvaluateLosses: lambda command: evaluate(self, self.end),
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
            elif (
                order.is_open and self.market(order.terms) == "OPEN" and not held_back(self, order)
            ):
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
            self.end(taker, outcome.reason)
        if outcome.resting:
            taker.shown = min(taker.display, outcome.resting)

    def _prevent(self, taker: Order, own: Order, what: str, lots: int) -> None:
        """O2: what happens to the resting order, then to the taker."""
        self.marks.add(f"{taker.stp_mode} met an own order")
        if own.account != taker.account:
            self.marks.add("an own order of another account")
        if what == "EXPIRE":
            self.end(own, "SELF_TRADE")
            return
        for order in (own, taker):
            order.prevented += lots
            order.shown = min(order.shown, order.quantity - order.filled - order.prevented)
            if order.leaves == 0:
                self.end(order, "SELF_TRADE")
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
            self.fill(order, price, lots, is_maker=order is not taker)
        self.traded(taker.terms, price)

    def traded(self, terms: Terms, price: int, *, is_auction: bool = False) -> None:
        bands.traded(self, self.bands, terms.symbol, price, is_auction=is_auction)
        is_open = self.market(terms) == "OPEN"  # E7: else nobody is elected
        orders = [order for order in self.orders if order.terms is terms and is_open]
        self.elections.traded(terms.symbol, orders, price, self.now_ns)

    def fill(self, order: Order, price: int, lots: int, *, is_maker: bool) -> None:
        amount = price * lots * order.terms.each
        self.touch(order.account)
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
                return [self.end(order, f"{who}_REQUESTED")]
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
        return [self.end(order, "USER_REQUESTED") for order in named]

    def _replace_and_elect(self, command: commands.ReplaceOrder) -> object:
        try:
            order = replace(self, command)
        finally:
            self._elect(self.now_ns)
        return self.seen(order)

    def _expire(self, command: commands.ExpireOrders) -> object:
        due = [order for order in self.orders if order.is_open and has_ended(order, self.now_ns)]
        ended = [self.end_by_time(order) for order in due]
        ended += watching.fire(self, self.now_ns)
        self._elect(self.now_ns)
        return ended

    def end_by_time(self, order: Order) -> object:
        is_auctions = order.time_in_force in ("OPG", "CLS")
        return self.end(order, order.time_in_force + ("_REMAINDER" if is_auctions else "_END"))

    def next_time(self) -> int:
        self.times += 1
        return self.times

    def end(self, order: Order, reason: str) -> object:
        """End it, unless its group has ended by then, and what ends with it (N8)."""
        if order.is_open:
            left = order.leaves
            self.close(order, reason)
            groups.after_end(self, order, reason, left)
        return self.seen(order)

    def close(self, order: Order, reason: str) -> None:
        """End this order alone."""
        self.books[order.terms.symbol].cancel(order.id)
        order.status = "EXPIRED" if reason in ("DAY_END", "GTD_END") else "CANCELED"
        order.reason = reason
        self.tell("OrderExpired" if order.status == "EXPIRED" else "OrderCanceled", order)
        if order.part:
            self.marks.add(reason)

    def _set_status(self, command: commands.SetInstrumentStatus) -> object:
        terms = self.find(command.symbol)
        if terms is None:
            raise Refused("INSTRUMENT_UNKNOWN")
        bands.end_pause(self, self.bands, self.plans, terms.symbol)
        plans.set_by_hand(self, self.plans, terms.symbol, command.status)
        hold_auctions(self, self.now_ns)
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
            hold_auctions(self, self.now_ns)
            self._elect(self.now_ns)

    def touch(self, account: int) -> None:
        if self.margin.is_on(account):
            self.calls.touched.add(account)

    def _quote(self, command: commands.QuoteStreet) -> str:
        street.take_quote(self, command, self.now_ns)
        self._elect(self.now_ns)
        return "DONE"

    def _print(self, command: commands.PrintStreetTrade) -> str:
        street.take_print(self, command, self.now_ns)
        self._elect(self.now_ns)
        return "DONE"

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
