"""Margin calls and forced closing by the rules L9 to L15 of docs/fees-and-margin.md, added up anew
each time. Part of the slow engine.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5

from orders.domain.commands import SubmitOrder
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from tests.reference.checks import check_passage, is_blind
from tests.reference.margin import up, value
from tests.reference.restricting import check_restriction
from tests.reference.state import HOUSE, UNIT, Order, ReferenceState, Refused, Terms

SECOND_NS = 10**9


@dataclass
class Call:
    deadline_ns: int
    forced: str = ""


@dataclass
class Calls:
    """Who is called, and whose cash or positions the command has changed."""

    open: dict[int, Call] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)


class Engine(Protocol):
    """What is needed of the slow engine."""

    calls: Calls
    orders: list[Order]

    def draft(self, command: SubmitOrder) -> Order: ...

    def enter(self, order: Order, now_ns: int) -> None: ...

    def tell(self, kind: str, order: Order) -> None: ...

    def next_time(self) -> int: ...

    def end(self, order: Order, reason: str) -> object: ...


def required(state: ReferenceState, account: int, terms: Terms) -> Fraction:
    """L3, maintenance."""
    worth = value(state, account, terms)
    share = Fraction(30 if worth < 0 else 25, 100)
    return up(abs(worth) * (1 if "/" in terms.symbol else share))


def standing(state: ReferenceState, account: int) -> tuple[Fraction, Fraction]:
    """Equity, and what it must be."""
    equity = state.cash[account] + sum(value(state, account, terms) for terms in state.terms)
    need = sum((required(state, account, terms) for terms in state.terms), Fraction(0))
    return equity, need


def _is_fresh(state: ReferenceState, account: int) -> bool:
    """L9: the mark of every position is of this moment, or nearly so."""
    for terms in state.terms:
        book = state.books[terms.symbol]
        sides = [book.street(side, state.now_ns) for side in ("BUY", "SELL")]
        if not state.holding(account, terms.symbol).lots or all(sides):
            continue
        last = state.elections.last.get(terms.symbol)
        if last is None or state.now_ns - last[1] > 60 * SECOND_NS:
            return False
    return True


def judge(state: ReferenceState, calls: Calls, account: int) -> bool:
    """L9 and L15: whether the account is called, and its prices are fresh."""
    equity, need = standing(state, account)
    if not state.margin.is_on(account) or equity >= need:
        if account in calls.open:
            del calls.open[account]
            state.margin.called.discard(account)
            _tell(state, account, "MarginCallMet")
        return False
    if not _is_fresh(state, account):
        return False
    if account not in calls.open:
        state.margin.called.add(account)
        calls.open[account] = Call(state.now_ns + 3_600 * SECOND_NS)
        _tell(state, account, "MarginCalled")
    return True


def _tell(state: ReferenceState, account: int, kind: str) -> None:
    for told in (HOUSE, account):
        state.told.append((kind, told, state.cash[told], state.locked_cash(told)))


def judge_touched(state: ReferenceState, calls: Calls) -> None:
    touched, calls.touched = calls.touched, set()
    for account in sorted(touched):
        judge(state, calls, account)


def look(engine: Engine, after: int) -> int:
    """L9, L11: all margin accounts after that one; here there are never too many."""
    assert isinstance(engine, ReferenceState)
    for account in sorted(engine.cash_accounts):
        is_on = engine.margin.is_on(account) or account in engine.calls.open
        if account > after and is_on and judge(engine, engine.calls, account):
            _force(engine, engine, account)
    return 0


def _force(engine: Engine, state: ReferenceState, account: int) -> None:
    call = engine.calls.open[account]
    equity, need = standing(state, account)
    if not call.forced:
        if equity < need / 2:
            call.forced = "MARGIN_FLOOR"
        elif call.deadline_ns <= state.now_ns:
            call.forced = "MARGIN_DEADLINE"
        else:
            return
        state.marks.add(call.forced)
        _tell(state, account, "ForcedClosingStarted")
    for order in state.open_orders(account):
        if order.opens:
            engine.end(order, "MARGIN_CALL")
    held = [terms for terms in state.terms if state.holding(account, terms.symbol).lots]
    for terms in sorted(held, key=lambda terms: -required(state, account, terms)):
        _close(engine, state, account, terms)
    engine.calls.touched.discard(account)
    judge(state, engine.calls, account)


def _close(engine: Engine, state: ReferenceState, account: int, terms: Terms) -> None:
    """L12 and L13."""
    lots = state.holding(account, terms.symbol).lots
    equity, need = standing(state, account)
    left = floor(max(equity, Fraction(0)) / Fraction(110, 100) / UNIT) * UNIT
    mine = required(state, account, terms)
    if need <= left or not mine:
        return
    wanted = min(abs(lots), ceil((need - left) * abs(lots) / mine))
    side = "BUY" if lots < 0 else "SELL"
    other = "SELL" if side == "BUY" else "BUY"
    if state.market(terms) != "OPEN" or state.books[terms.symbol].best(other, state.now_ns) is None:
        return
    late_ns = state.now_ns - engine.calls.open[account].deadline_ns
    if is_blind(state, terms) and late_ns <= 900 * SECOND_NS:  # L13
        state.marks.add("a forced order waited for the feed")
        return
    order = engine.draft(_asked(state, account, terms, side, wanted))
    try:
        check_restriction(state, order)
    except Refused as refused:
        if refused.reason != "TRADING_REDUCE_ONLY":
            return
    for open_order in state.open_orders(account):
        if open_order.terms is terms:
            engine.end(open_order, "MARGIN_CALL")
    try:
        check_passage(state, order, state.now_ns, forced=True)
    except Refused:
        return
    order.status, order.time = "ACCEPTED", engine.next_time()
    engine.orders.append(order)
    state.marks.add("a position was closed by force")
    engine.tell("OrderAccepted", order)
    engine.enter(order, state.now_ns)


def _asked(state: ReferenceState, account: int, terms: Terms, side: str, lots: int) -> SubmitOrder:
    quantity = lots * terms.lot
    number = state.told_before[account] + [told[1] for told in state.told].count(account)
    return SubmitOrder(
        order_id=uuid5(NAMESPACE_OID, f"forced order {account} {number}"),
        account_id=account,
        symbol=terms.symbol,
        client_order_id="",
        side=Side(side),
        type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        quantity=Decimal(quantity.numerator) / Decimal(quantity.denominator),
        limit_price=None,
        submitted_by_id=0,
        request_id="",
        stp_mode=StpMode.EXPIRE_MAKER,
    )
