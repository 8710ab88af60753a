"""Margin calls, and the forced closing of positions when they are not met.

Rules L9 to L15 of docs/fees-and-margin.md. A command that trades only calls; what is closed by
force is closed by CheckMargin alone, so that no order of somebody else's waits for it.
"""

from collections.abc import Callable
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from core.domain.clock import wire_time
from core.domain.units import units_to_decimal, units_to_wire
from core.services.audit_log import AuditRow
from marketdata.domain.market_states import MarketState
from orders.domain.commands import SubmitOrder
from orders.domain.reasons import CloseReason
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from orders.domain.views import AccountEvent, MarginCallView
from orders.engine import lifecycle
from orders.engine.conditions import is_blind
from orders.engine.margin import margin_of, value_of
from orders.engine.passage import check_passage
from orders.engine.placing import match
from orders.engine.render import balance_view
from orders.engine.restrictions import check_restrictions
from orders.engine.state import Account, EngineState, Instrument, OrderState
from orders.engine.step import Step
from orders.engine.terms import draft_order
from portfolio.domain.margin import (
    MARGIN_CALL_SECONDS,
    Call,
    MarginState,
    is_below_floor,
    lots_to_close,
    maintenance_percent,
    share_of,
)
from risk.domain.reasons import DenialReason

SECOND_NS: Final = 10**9
MAX_LOOKED_AT: Final = 200
"""Margin accounts in one look: bounds what others wait for."""

MAX_FORCED: Final = 50
"""Forced orders in one look, for the same reason."""

FRESH_NS: Final = 60 * SECOND_NS
"""How old a last trade may be that a call is judged by."""

BLIND_AFTER_NS: Final = 15 * 60 * SECOND_NS
"""How long after its deadline a call waits for a feed that is silent: operators have had an hour
and a quarter by then, and what users trade among themselves is the market that is left (L13).
"""


def judge_touched(step: Step) -> None:
    """Call the accounts that the command changed, or end their calls (L9, L15)."""
    touched, step.state.to_judge = step.state.to_judge, {}
    for _, account in sorted(touched.items()):
        _judge(step, account)


def look_at(step: Step, after: int) -> int:
    """Judge the next margin accounts and close what is to be closed; the last one's number, 0 when
    there are no more.
    """
    numbers = sorted(number for number in step.state.margin_accounts if number > after)
    forced = 0
    for number in numbers[:MAX_LOOKED_AT]:
        account = step.state.margin_accounts[number]
        if _judge(step, account):
            forced += _force(step, account)
        if forced >= MAX_FORCED:
            return number
    return numbers[MAX_LOOKED_AT - 1] if len(numbers) > MAX_LOOKED_AT else 0


def _judge(step: Step, account: Account) -> bool:
    """Whether the account is called now and its prices are fresh; calls it, or ends its call."""
    margin = margin_of(step.state, account, step.now_ns)
    if not account.is_margin or margin.equity >= margin.maintenance:
        if account.call is not None:
            _tell(step, account, "MarginCallMet", account.call, margin)
            account.call = None
            step.changes.account_terms[account.id] = account
        if not account.is_margin:
            step.state.margin_accounts.pop(account.id, None)
        return False
    if not _is_fresh(step.state, account, step.now_ns):
        return False
    if account.call is None:
        deadline_ns = step.now_ns + MARGIN_CALL_SECONDS * SECOND_NS
        account.call = Call(step.now_ns, deadline_ns)
        step.changes.account_terms[account.id] = account
        _tell(step, account, "MarginCalled", account.call, margin)
    return True


def _is_fresh(state: EngineState, account: Account, now_ns: int) -> bool:
    """Every position's mark is of this moment, or nearly so (L9)."""
    for instrument_id, position in account.positions.items():
        instrument = state.instruments_by_id[instrument_id]
        if not position.quantity or instrument.book.twice_the_middle(now_ns) is not None:
            continue
        last = instrument.last_trade
        if last is None or now_ns - last.at_ns > FRESH_NS:
            return False
    return True


# --- forced closing


def _force(step: Step, account: Account) -> int:
    """Close what is to be closed now; how many orders that took."""
    call = account.call
    assert call is not None
    margin = margin_of(step.state, account, step.now_ns)
    if not call.forced:
        if is_below_floor(margin):
            forced = "MARGIN_FLOOR"
        elif call.deadline_ns <= step.now_ns:
            forced = "MARGIN_DEADLINE"
        else:
            return 0
        call = account.call = call._replace(forced=forced)
        step.changes.account_terms[account.id] = account
        _tell(step, account, "ForcedClosingStarted", call, margin)
    _cancel(step, account, lambda order: order.is_opening)
    orders = 0
    for instrument in _in_turn(step, account):
        orders += _close(step, account, instrument, call.forced)
    step.state.to_judge.pop(account.id, None)
    _judge(step, account)
    return orders


def _in_turn(step: Step, account: Account) -> list[Instrument]:
    """The positions' instruments: the largest requirement first, then the lower number."""
    found = [
        (-_requirement(step, account, instrument), number, instrument)
        for number, instrument in step.state.instruments_by_id.items()
        if number in account.positions and account.positions[number].quantity
    ]
    return [instrument for _, _, instrument in sorted(found, key=lambda item: item[:2])]


def _requirement(step: Step, account: Account, instrument: Instrument) -> int:
    value = value_of(instrument, account.position(instrument.id), step.now_ns)
    percent = maintenance_percent(is_marginable=instrument.is_marginable, is_short=value < 0)
    return share_of(abs(value), percent)


def _close(step: Step, account: Account, instrument: Instrument, forced: str) -> int:
    """Close as much of the position as is needed, if it can be closed now (L12, L13)."""
    held = account.position(instrument.id).quantity
    margin = margin_of(step.state, account, step.now_ns)
    lots = lots_to_close(margin, abs(held), _requirement(step, account, instrument))
    if not lots:
        return 0
    order = _draft(step, account, instrument, lots if held < 0 else -lots)
    order.forced = forced
    if not _may_trade(step, order):
        return 0
    _cancel(step, account, lambda other: other.instrument is instrument)
    if check_restrictions(step, order) or check_passage(step.state, order, step.now_ns):
        return 0
    lifecycle.accept(step, order)
    _record(step, order)
    match(step, order)
    return 1


def _may_trade(step: Step, order: OrderState) -> bool:
    """Whether the market and its trading states let the account close anything at all (L13)."""
    instrument = order.instrument
    if instrument.market_state(step.now_ns) is not MarketState.OPEN:
        return False
    if instrument.collar(order.side, step.now_ns) is None:
        return False
    call = order.account.call
    assert call is not None  # nothing is forced without one
    if is_blind(instrument, step.now_ns) and step.now_ns <= call.deadline_ns + BLIND_AFTER_NS:
        return False
    denial = check_restrictions(step, order)
    return denial is None or denial.reason is DenialReason.TRADING_REDUCE_ONLY


def _draft(step: Step, account: Account, instrument: Instrument, lots: int) -> OrderState:
    command = SubmitOrder(
        order_id=uuid5(NAMESPACE_OID, f"forced order {account.id} {account.sequence}"),
        account_id=account.id,
        symbol=instrument.symbol,
        client_order_id="",
        side=Side.BUY if lots > 0 else Side.SELL,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        quantity=units_to_decimal(abs(lots) * instrument.lot_units),
        limit_price=None,
        submitted_by_id=0,
        request_id=_request_id(account),
        stp_mode=StpMode.EXPIRE_MAKER,
    )
    return draft_order(account, instrument, command, step.now_ns)


def _cancel(step: Step, account: Account, is_chosen: Callable[[OrderState], bool]) -> None:
    for order in [order for order in account.open_orders.values() if is_chosen(order)]:
        if order.closed_ns is None:  # another order of its group may have ended it
            lifecycle.cancel(step, order, CloseReason.MARGIN_CALL, _request_id(account))


# --- telling


def _record(step: Step, order: OrderState) -> None:
    instrument = order.instrument
    step.changes.audits.append(
        AuditRow(
            actor_id=None,
            action="PositionClosedByForce",
            target=f"trading-account:{order.account.id}",
            reason=order.forced,
            facts={
                "order": str(order.id),
                "symbol": instrument.symbol,
                "side": order.side.value,
                "quantity": units_to_wire(order.quantity * instrument.lot_units),
            },
            address=None,
            request_id=order.request_id,
            occurred_ns=step.now_ns,
        )
    )


def _tell(step: Step, account: Account, kind: str, call: Call, margin: MarginState) -> None:
    """The house, then the account's people; with an audit entry."""
    view = MarginCallView(
        equity=units_to_wire(margin.equity),
        maintenance=units_to_wire(margin.maintenance),
        missing=units_to_wire(max(margin.maintenance - margin.equity, 0)),
        deadline=wire_time(call.deadline_ns),
        reason=call.forced or None,
    )
    for told in (step.state.accounts[step.state.house_id], account):
        lifecycle.append_account_event(
            step,
            told,
            AccountEvent(
                event=kind,
                version=1,
                account_id=told.public_id,
                account_sequence=told.sequence + 1,
                occurred_at=wire_time(step.now_ns),
                request_id=_request_id(account),
                balance=balance_view(told),
                margin_call=view,
            ),
        )
    step.changes.audits.append(
        AuditRow(
            actor_id=None,
            action=kind,
            target=f"trading-account:{account.id}",
            reason=call.forced,
            facts={"equity": view.equity, "maintenance": view.maintenance},
            address=None,
            request_id=_request_id(account),
            occurred_ns=step.now_ns,
        )
    )


def _request_id(account: Account) -> str:
    return f"margin-call-{account.id}"
