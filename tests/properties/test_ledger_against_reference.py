"""Book and ledger against the slow engine (tests/reference/engine.py), step by step, seed by seed.

After every command: the same answer, the same events in the same order with the same balances, the
same cash, holds, positions, open orders and books; cash and shares sum to zero (I1, I4-I7). More
seeds with PORTAL_SEEDS, a certain one with PORTAL_FIRST_SEED.
"""

import os
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from uuid import UUID

import pytest

from core.domain.units import UNITS_PER_ONE
from marketdata.domain.sessions import Calendar
from orders.domain import commands
from orders.domain.replies import (
    AnyReply,
    BalanceReply,
    BatchReply,
    CanceledReply,
    CheckedReply,
    DeadManReply,
    DeniedReply,
    DoneReply,
    LimitReply,
    OrderReply,
    SwitchedReply,
)
from orders.domain.values import Side
from orders.domain.views import AccountEvent, OrderView
from orders.engine.core import Core
from orders.engine.margin import margin_of
from orders.engine.state import EngineState, Instrument
from orders.engine.trailing import mark_of
from tests.reference.engine import ReferenceEngine
from tests.reference.margin import excess
from tests.reference.state import HOUSE as THE_HOUSE
from tests.reference.state import STREET as THE_STREET
from tests.reference.state import Terms, Told, held_cash
from tests.simulation.floor import APPLE, BITCOIN, HOUSE, START_NS, STREET, fresh, new_state
from tests.simulation.market_swarm import CALENDAR, Listing, MarketSwarm, Timed
from tests.simulation.plan_swarm import STORMY
from tests.simulation.shadow import ShadowTables

# The last test looks at what the others met.
pytestmark = pytest.mark.xdist_group("ledger against reference")

SEEDS = int(os.environ.get("PORTAL_SEEDS", "100"))
FIRST_SEED = int(os.environ.get("PORTAL_FIRST_SEED", "1"))
STEPS = int(os.environ.get("PORTAL_STEPS", "500"))
STORMY_SEEDS = SEEDS * 3 // 5
GROUPS = 10

SOMETIMES = {
    "FILLED",
    "PARTIALLY_FILLED",
    "ACCEPTED",
    "IOC_REMAINDER",
    "FOK_UNFILLABLE",
    "LIQUIDITY_EXHAUSTED",
    "USER_REQUESTED",
    "DAY_END",
    "SELF_TRADE",
    "FUNDS_INSUFFICIENT",
    "POSITION_INSUFFICIENT",
    "LIQUIDITY_NONE",
    "INSTRUMENT_HALTED",
    "INSTRUMENT_CANCEL_ONLY",
    "INSTRUMENT_POST_ONLY",
    "BAND_REACHED",
    "CALENDAR_UNKNOWN",
    "MARKET_CLOSED",
    "EXPIRY_NOT_ALLOWED",
    "EXPIRY_OUT_OF_RANGE",
    "EXPIRY_REQUIRED",
    "GTD_END",
    "QUEUED",
    "OPG_REMAINDER",
    "CLS_REMAINDER",
    "AUCTION_NOT_HELD",
    "AUCTION_TOO_LATE",
    "INSTRUMENT_AUCTION",
    "an auction traded between users",
    "an auction traded with the street",
    "an auction left an order to the market",
    "a day order ended with its session",
    "the street filled an order while none was taken in",
    "an order came to rest in a post-only market",
    "INSTRUMENT_UNKNOWN",
    "ACCOUNT_UNKNOWN",
    "ORDER_NOT_OPEN",
    "QUANTITY_OUT_OF_RANGE",
    "QUANTITY_OFF_LOT",
    "PRICE_REQUIRED",
    "PRICE_NOT_ALLOWED",
    "PRICE_OUT_OF_RANGE",
    "PRICE_OFF_TICK",
    "NOTIONAL_ABOVE_MAXIMUM",
    "NOTIONAL_BELOW_MINIMUM",
    "maker fill between users",
    "street filled a resting order",
    "several canceled at once",
    "STOP_PRICE_REQUIRED",
    "STOP_PRICE_NOT_ALLOWED",
    "STOP_PRICE_OUT_OF_RANGE",
    "STOP_PRICE_OFF_TICK",
    "STOP_PRICE_PASSED",
    "TIF_NOT_ALLOWED",
    "a stop was elected",
    "an elected stop elected another",
    "an election waited for its turn",
    "an elected stop met an own order",
    "an elected stop found nobody",
    "a batch went on after a refusal",
    "a whole batch was taken",
    "EXPIRE_TAKER ended the taker",
    "EXPIRE_MAKER met an own order",
    "EXPIRE_BOTH met an own order",
    "DECREMENT met an own order",
    "DECREMENT ended the taker",
    "an own order of another account",
    "POST_ONLY_NOT_ALLOWED",
    "POST_ONLY_WOULD_TAKE",
    "REDUCE_ONLY_EXCEEDS",
    "DEADLINE_PASSED",
    "replaced in its place",
    "replaced with another place",
    "replaced and traded at once",
    "replaced after a part was filled",
    "an elected stop was replaced",
    "a waiting stop was replaced",
    "ORDER_UNCHANGED",
    "STOP_ELECTED",
    "amended",
    "amended after a part was filled",
    "AMEND_NOT_LESS",
    "FEE_RATES_INVALID",
    "FEE_TIER_UNKNOWN",
    "DISCONNECTED",
    "SESSION_ENDED",
    "NOTIONAL_NOT_ALLOWED",
    "NOTIONAL_OUT_OF_RANGE",
    "NOTIONAL_TOO_SMALL",
    "DISPLAY_NOT_ALLOWED",
    "DISPLAY_OUT_OF_RANGE",
    "an order hid a part",
    "a slice came back",
    "TRAIL_REFERENCE_NONE",
    "TRAIL_OUT_OF_RANGE",
    "TRAIL_PRICE_INVALID",
    "TRAIL_PERCENT_INVALID",
    "TRAIL_NOT_ALLOWED",
    "TRAIL_REQUIRED",
    "a trailing buy entered",
    "a trailing stop was replaced",
    "TRADING_SUSPENDED",
    "MARGIN_INVALID",
    "MARGIN_ORDERS_OPEN",
    "MARGIN_IN_USE",
    "NOT_SHORTABLE",
    "OPENING_ORDERS_MIXED",
    "an account owed money",
    "an account was short",
    "a short position was closed",
    "a margin account had no excess left",
    "a maker paid a fee",
    "a taker paid a fee",
    "a rate was above an order's cap",
    "a fee was too small to take",
    "switched to ACTIVE",
    "switched to REDUCE_ONLY",
    "switched to CANCEL_ONLY",
    "switched to HALTED",
    "a switch canceled several",
    "a switch went on",
    "TRADING_REDUCE_ONLY",
    "TRADING_CANCEL_ONLY",
    "TRADING_HALTED",
    "FOUR_EYES_REQUIRED",
    "SAME_PERSON",
    "STATE_CHANGED_MEANWHILE",
    "SCOPE_UNKNOWN",
    "DESK_NOT_JOINED",
    "DEAD_MAN",
    "GROUP_DIRECTION_INVALID",
    "GROUP_ENDED",
    "GROUP_LEGS_INVALID",
    "GROUP_NOT_OFFERED",
    "GROUP_PRICES_INVALID",
    "GROUP_TERMS_FIXED",
    "GROUP_TIF_NOT_ALLOWED",
    "GROUP_TYPE_NOT_ALLOWED",
    "SIBLING_ELECTED",
    "SIBLING_FILLED",
    "a TAKE_PROFIT traded",
    "a STOP_LOSS traded",
    "a TAKE_PROFIT was replaced",
    "a STOP_LOSS was replaced",
    "a held leg was replaced",
    "a sibling shrank",
    "a group ended",
    "a leg took its turn",
    "a leg waited for an auction",
    "a stop loss was elected",
    "a stop loss was passed at its turn",
    "a stop loss stayed after a self-trade",
    "legs entered for a part of their entry",
    "PLAN_REFUSED",
    "PLAN_UNKNOWN",
    "MARGIN_CALLED",
    "MARGIN_FLOOR",
    "MarginCalled",
    "MarginCallMet",
    "a position was closed by force",
    "a walk began a pause",
    "a quote began a pause",
    "a print began a pause",
    "an elected stop stopped at the edge",
    "a halted market went on to its auction",
    "VOLATILITY_BAND",
    "a plan changed a market",
    "a plan ended with an auction",
    "a market was planned to be two things at once",
    "LIMIT_INVALID",
    "LIMIT_ORDER_QUANTITY",
    "LIMIT_ORDER_VALUE",
    "LIMIT_OPEN_ORDERS",
    "LIMIT_POSITION",
    "LIMIT_EXPOSURE",
    "LIMIT_RESTRICTED",
    "LIMIT_LEVERAGE",
    "LIMIT_PRICE_COLLAR",
    "LIMIT_ORDER_RATE",
    "LIMIT_REPEATED_ORDERS",
    "REFERENCE_MISSING",
    "REFERENCE_STALE",
    "a repeated order stopped its sender",
    "losses put an account into REDUCE_ONLY",
    "losses put an account into HALTED",
    "a limit was raised",
    "a limit was lowered",
}
"""What a run of all seeds must have met, or it has not tested what it claims to."""


class Lockstep:
    """Both engines, fed the same commands."""

    def __init__(self, seed: int) -> None:
        self.swarm = MarketSwarm(seed, START_NS)
        listings = self.swarm.listings
        most = (1, 1_000)[seed % 2]  # with one at a time, many wait for the next command
        self.reference = ReferenceEngine(
            [terms(item) for item in listings],
            self.swarm.accounts,
            max_elections=most,
            owners=self.swarm.owners,
        )
        self.state = state_for(self.swarm)
        self.core = Core(self.state, most, max_cleared=(2, 1_000)[seed // 2 % 2])
        self.shadow = ShadowTables()
        self.marks: Counter[str] = Counter()
        self.shorts: set[int] = set()
        self.pauses: dict[str, str] = {}

    def run(self, steps: int) -> None:
        for number, timed in enumerate(self.swarm.history(steps)):
            try:
                self._step(timed)
            except (
                AssertionError,
                ArithmeticError,
                LookupError,
                ValueError,
                StopIteration,
            ) as error:
                raise AssertionError(f"step {number}: {timed.command}\n{error!r}") from error
        self._commit()
        self._check_that_nobody_gained_by_rounding()

    def _step(self, timed: Timed) -> None:
        if timed.is_new_batch:
            self._commit()
        before = len(self.core.changes.events)
        expected = self.reference.apply(timed.command, timed.now_ns)

        reply = self.core.apply(timed.command, timed.now_ns)
        self.marks["a switch went on"] += self.core.is_clearing
        while self.core.is_clearing:
            self.core.apply(commands.ExpireOrders(), timed.now_ns)

        assert self._answer(reply) == expected
        events = [event for _, event in self.core.changes.events[before:]]
        assert [self._told(event) for event in events] == self.reference.told
        self._compare()
        self._mark(expected, timed.command)

    def _commit(self) -> None:
        self.shadow.commit(self.core.changes)
        self.shadow.check(self.state)
        self.core.begin_batch()

    def _check_that_nobody_gained_by_rounding(self) -> None:
        """What an account was given is its cash and what it paid, to the last unit."""
        for account in self.swarm.accounts:
            given = sum(
                amount if payee == account else -amount
                for payer, payee, amount in self.reference.transfers
                if THE_HOUSE in (payer, payee) and account in (payer, payee)
            )
            item = self.state.accounts[account]
            paid = sum(held.cost - held.realized for held in item.positions.values())
            assert money(item.balance.total + paid) == given

    # --- the fast engine in the reference's words

    def _answer(self, reply: AnyReply) -> object:
        match reply:
            case DeniedReply():
                return reply.reason
            case OrderReply():
                return self._seen(reply.order)
            case CanceledReply():
                return [self._seen(order) for order in reply.orders]
            case DeadManReply():
                return ("WATCHED", reply.fires_ns)
            case BatchReply():
                return ("BATCH", [self._answer(part) for part in reply.replies])
            case LimitReply():
                return ("LIMIT", reply.version)
            case CheckedReply():
                return ("CHECKED", reply.last)
            case BalanceReply() | DoneReply():
                return "BALANCE" if isinstance(reply, BalanceReply) else "DONE"
            case SwitchedReply():
                return ("SWITCHED", reply.state, reply.version, reply.canceled)
        raise AssertionError(reply)

    def _seen(self, view: OrderView) -> tuple[UUID, str, Fraction, str | None]:
        order = next(order for order in self.reference.orders if str(order.id) == view.id)
        is_open = view.status in {"HELD", "QUEUED", "ACCEPTED", "TRIGGERED", "PARTIALLY_FILLED"}
        leaves = Fraction(view.quantity) - Fraction(view.filled_quantity) if is_open else 0
        leaves -= Fraction(view.prevented_quantity) if is_open else 0
        assert view.stp_mode == order.stp_mode
        assert Fraction(view.leaves_quantity) == leaves
        filled = Fraction(view.filled_quantity) / order.terms.lot
        return (order.id, view.status, filled, view.reason)

    def _told(self, event: AccountEvent) -> Told:
        account = next(
            item.id for item in self.state.accounts.values() if item.public_id == event.account_id
        )
        total, locked = Fraction(event.balance.total), Fraction(event.balance.locked)
        if event.order is None:
            who = THE_HOUSE if account == HOUSE else account
            if event.market_state is not None:
                market = event.market_state
                return (event.event, who, market.symbol, market.state, total, locked)
            return (event.event, who, total, locked)
        order_id, status, filled, _ = self._seen(event.order)
        quantity = Fraction(event.order.quantity)
        order_id, status, filled, _ = self._seen(event.order)
        fill = event.execution
        where = next(item for item in self.reference.terms if item.symbol == event.order.symbol)
        return (
            event.event,
            account,
            order_id,
            status,
            filled,
            (
                Fraction(fill.price) / where.tick,
                Fraction(fill.quantity) / where.lot,
                fill.side,
                Fraction(fill.fee),
            )
            if fill
            else None,
            total,
            locked,
            quantity / where.lot,
        )

    # --- all that can be read

    def _compare(self) -> None:
        self._compare_cash()
        for item in self.reference.terms:
            self._compare_instrument(item)
        queue = [order.id for order in self.reference.elections.queue if order.is_open]
        assert [key for key in self.state.elections if key in self.state.orders] == queue
        expected = [order for order in self.reference.orders if order.is_open]
        found = list(self.state.orders.values())
        assert [order.id for order in found] == [order.id for order in expected]
        for mine, theirs in zip(expected, found, strict=True):
            assert (mine.status, mine.filled) == (theirs.status, theirs.filled)
            assert mine.prevented == theirs.prevented
            assert theirs.quantity == mine.quantity
            assert theirs.is_opening == mine.opens
            held = money(theirs.hold) if theirs.is_opening else Fraction(theirs.hold)
            assert held == (held_cash(mine) if mine.opens else self.reference.claim(mine))

    def _compare_cash(self) -> None:
        named = {THE_HOUSE: HOUSE, THE_STREET: STREET}
        assert sum(item.balance.total for item in self.state.accounts.values()) == 0
        for account, cash in self.reference.cash.items():
            balance = self.state.accounts[named.get(account, account)].balance  # type: ignore[call-overload]
            assert money(balance.total) == cash
            if account not in named:
                assert money(balance.locked) == self.reference.locked_cash(account)
                assert balance.free >= 0 or self.reference.margin.is_on(account)
                assert money(balance.fees) == self.reference.fees.paid.get(account, 0)  # type: ignore[call-overload]

    def _compare_instrument(self, item: Terms) -> None:
        instrument = self.state.instruments[item.symbol]
        assert instrument.state == self.reference.states[item.symbol]
        band = self.reference.bands.of(item.symbol)
        assert instrument.window == band.window
        assert instrument.pause == self.reference.plans.pauses.get(item.symbol)
        named = {THE_HOUSE: HOUSE, THE_STREET: STREET}
        lots = 0
        for account in self.reference.cash:
            number = named.get(account, account)  # type: ignore[call-overload]
            found = self.state.accounts[number].positions.get(instrument.id)
            mine = self.reference.holdings.get((account, item.symbol))
            if found is None or mine is None:
                assert not found or (found.quantity, found.locked, found.cost) == (0, 0, 0)
                assert not mine or mine.lots == 0
                continue
            lots += found.quantity
            assert (found.quantity, money(found.cost), money(found.realized)) == (
                mine.lots,
                mine.cost,
                mine.realized,
            )
            assert found.locked == self.reference.locked_lots(account, item.symbol)
        assert lots == 0
        assert [
            (row.order_id, row.owner_id, row.side.value, row.price, row.leaves, row.ahead)
            for row in instrument.book.resting()
        ] == self.reference.books[item.symbol].resting()

        orders = [order for order in self.reference.orders if order.terms is item]
        self._compare_slices(instrument, item)
        waiting = self.reference.elections.waiting(orders)
        fixed = [order.id for order in waiting if order.mark is None]
        assert instrument.stops.waiting() == fixed
        trailing = [order.id for order in waiting if order.mark is not None]
        assert (instrument.trails.waiting() if instrument.trails else []) == trailing
        for mine in orders:
            theirs = self.state.orders.get(mine.id)
            if mine.mark is not None and theirs is not None:
                assert mark_of(theirs) == mine.mark

    def _compare_slices(self, instrument: Instrument, item: Terms) -> None:
        """I1 to I3: what is hidden, what the engine knows of it, and that ranks tell the places."""
        ranks: dict[tuple[Side, int], int] = {}
        for row in instrument.book.resting():
            order = self.state.orders[row.order_id]
            assert row.leaves + row.hidden == order.leaves
            assert row.hidden + row.leaves == self.reference.books[item.symbol].left(row.order_id)
            assert order.displayed == (row.leaves if order.display else 0)
            assert order.rank > ranks.get((row.side, row.price), 0)
            ranks[row.side, row.price] = order.rank
            self.marks["an order hid a part"] += row.hidden > 0
            self.marks["a slice came back"] += bool(order.display) and order.rank > order.sequence

    def _mark(self, answer: object, command: commands.AnyCommand) -> None:
        match answer:
            case ("BATCH", [*parts]):
                is_refused = [isinstance(part, str) for part in parts]
                self.marks["a batch went on after a refusal"] += is_refused[:1] == [True] and (
                    False in is_refused
                )
                self.marks["a whole batch was taken"] += not any(is_refused[1:])
            case str():
                self.marks[answer] += 1
            case ("CHECKED", _):
                pass
            case ("SWITCHED", state, _, canceled):
                self.marks[f"switched to {state}"] += 1
                self.marks["a switch canceled several"] += int(canceled) > 1
            case ("LIMIT", _):
                self.marks["a limit was set"] += 1
            case (_, status, _, reason):
                self.marks[str(reason or status)] += 1
            case [(_, _, _, reason), *others]:
                self.marks[str(reason)] += 1
                self.marks["several canceled at once"] += bool(others)
        self.marks.update(self.reference.marks)
        self._mark_elections()
        self._mark_fees()
        self._mark_margin()
        fills = [told for told in self.reference.told if told[0] in FILLS]
        is_order = isinstance(
            command, commands.SubmitOrder | commands.ReplaceOrder | commands.OrderBatch
        )
        is_replace = isinstance(command, commands.ReplaceOrder)
        self.marks["replaced and traded at once"] += bool(fills) and is_replace
        self.marks["maker fill between users"] += is_order and len({told[2] for told in fills}) > 1
        self.marks["street filled a resting order"] += bool(fills) and not is_order
        self.marks["a day order ended with its session"] += any(
            order.reason == "DAY_END" and order.terms.calendar is not None
            for order in self.reference.orders
        )
        for order in self.reference.orders:
            if order.reason in ("OPG_REMAINDER", "CLS_REMAINDER"):
                self.marks[order.reason] += 1
        sides = self.reference.auction_sides
        self.marks["an auction traded between users"] += 2 in sides
        self.marks["an auction traded with the street"] += 1 in sides
        self.marks["an auction left an order to the market"] += any(
            told[0] == "OrderReleased" for told in self.reference.told
        )
        self._mark_states(command, [str(told[0]) for told in self.reference.told])

    def _mark_states(self, command: commands.AnyCommand, told: list[str]) -> None:
        for kind in ("MarginCalled", "MarginCallMet"):
            self.marks[kind] += kind in told
        plans = self.reference.plans
        for item in self.reference.terms:
            was, now = self.pauses.get(item.symbol), plans.pauses.get(item.symbol, ("", 0))[0]
            self.marks["a halted market went on to its auction"] += (was, now) == (
                "HALTED",
                "AUCTION",
            )
            self.pauses[item.symbol] = now
        self.marks["a plan changed a market"] += "MarketStateChanged" in told
        self.marks["a plan ended with an auction"] += (
            told[:1] == ["MarketStateChanged"] and not FILLS.isdisjoint(told[1:])
        ) and bool(self.reference.auction_sides)
        self.marks["a market was planned to be two things at once"] += any(
            len(plans.now_planned(item.symbol)) > 1 for item in self.reference.terms
        )
        states = self.reference.states
        if isinstance(command, commands.QuoteStreet | commands.PrintStreetTrade):
            is_closing = states.get(command.symbol) == "CANCEL_ONLY"
            self.marks["the street filled an order while none was taken in"] += (
                is_closing and not FILLS.isdisjoint(told)
            )
        if isinstance(command, commands.SubmitOrder) and command.stop_price is None:
            is_post_only = states.get(command.symbol) == "POST_ONLY"
            self.marks["an order came to rest in a post-only market"] += (
                is_post_only and "OrderAccepted" in told
            )

    def _mark_elections(self) -> None:
        told = self.reference.told
        elected = [number for number, event in enumerate(told) if event[0] == "OrderTriggered"]
        self.marks["a stop was elected"] += bool(elected)
        self.marks["an election waited for its turn"] += bool(self.reference.elections.queue)
        between = told[elected[0] : elected[-1]] if elected else []
        self.marks["an elected stop elected another"] += any(event[0] in FILLS for event in between)
        ended = [
            order.reason
            for order in self.reference.orders
            if order.stop is not None and order.status == "CANCELED"
        ]
        self.marks["an elected stop met an own order"] += "SELF_TRADE" in ended
        self.marks["an elected stop stopped at the edge"] += "VOLATILITY_BAND" in ended
        self.marks["an elected stop found nobody"] += "LIQUIDITY_EXHAUSTED" in ended

    def _mark_fees(self) -> None:
        for row in self.core.changes.executions[-20:]:
            if row.fee_units:
                self.marks[f"a {row.liquidity.lower()} paid a fee"] += 1
            elif self.state.accounts[row.account_id].tier.maker:
                self.marks["a fee was too small to take"] += 1
        self.marks["a rate was above an order's cap"] += any(
            order.fee_rate < order.account.tier.maker for order in self.state.orders.values()
        )

    def _mark_margin(self) -> None:
        for account in self.swarm.accounts:
            if not self.reference.margin.is_on(account):
                continue
            lots = [
                self.reference.holding(account, item.symbol).lots for item in self.reference.terms
            ]
            was_short = account in self.shorts
            self.shorts.discard(account)
            if min(lots) < 0:
                self.shorts.add(account)
            self.marks["an account was short"] += min(lots) < 0
            self.marks["a short position was closed"] += was_short and min(lots) >= 0
            self.marks["an account owed money"] += self.reference.cash[account] < 0
            mine, theirs = (
                self.reference.calls.open.get(account),
                self.state.accounts[account].call,
            )
            assert (mine and (mine.deadline_ns, mine.forced)) == (
                theirs and (theirs.deadline_ns, theirs.forced)
            )
            margin = margin_of(self.state, self.state.accounts[account], self.reference.now_ns)
            assert money(margin.excess) == excess(self.reference, account)
            self.marks["a margin account had no excess left"] += margin.excess <= 0


FILLS = {"OrderFilled", "OrderPartiallyFilled"}


def money(units: int) -> Fraction:
    return Fraction(units, UNITS_PER_ONE)


def terms(listing: Listing) -> Terms:
    return Terms(
        symbol=listing.symbol,
        tick=Fraction(listing.tick),
        lot=Fraction(listing.lot),
        smallest_value=Fraction(listing.smallest_value),
        band_bps=listing.band_bps,
        calendar=listing.calendar,
    )


def state_for(swarm: MarketSwarm) -> EngineState:
    instruments = []
    calendar = Calendar(CALENDAR)
    for base, listing in zip((APPLE, BITCOIN), swarm.listings, strict=False):
        instrument = replace(
            fresh(base),
            tick_units=int(listing.tick * UNITS_PER_ONE),
            lot_units=int(listing.lot * UNITS_PER_ONE),
            min_notional_units=int(listing.smallest_value * UNITS_PER_ONE),
            market_band_bps=listing.band_bps,
            calendar=None if listing.calendar is None else calendar,
        )
        instruments.append(instrument)
    state = new_state(swarm.accounts, instruments, swarm.owners)
    state.calendars[CALENDAR] = calendar
    return state


MARKS: Counter[str] = Counter()
GROUPS_RUN: set[int] = set()


@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_equals_the_slow_one(group: int) -> None:
    stormy = range(FIRST_SEED + STORMY + group, FIRST_SEED + STORMY + STORMY_SEEDS, GROUPS)
    for seed in (*range(FIRST_SEED + group, FIRST_SEED + SEEDS, GROUPS), *stormy):
        lockstep = Lockstep(seed)
        try:
            lockstep.run(STEPS)
        except AssertionError as difference:
            pytest.fail(
                f"seed {seed}, {difference}\n\nrun it again:\nPORTAL_FIRST_SEED={seed}"
                f" PORTAL_SEEDS=1 PORTAL_STEPS={STEPS} pytest {__file__}"
            )
        MARKS.update(+lockstep.marks)
    GROUPS_RUN.add(group)


@pytest.mark.skipif(SEEDS < 100 or STEPS < 500, reason="too few steps to meet everything")
def test_everything_that_must_happen_sometimes_has_happened(
    request: pytest.FixtureRequest,
) -> None:
    asked_for = [item for item in request.session.items if item.path == request.path]
    if len(asked_for) <= GROUPS:
        pytest.skip("only some of the seeds were asked for")

    assert set(range(GROUPS)) == GROUPS_RUN, "a group failed, or ran in another process"
    assert SOMETIMES - MARKS.keys() == set()
