"""The state of an instrument's market: changing it, and what it lets a new order do.

Rules X1 to X3 of docs/market-states.md. The checks are asked only when the market is not open.
"""

from typing import Final

from core.domain.clock import wire_time
from core.services.audit_log import AuditRow
from marketdata.domain.market_states import MarketState
from orders.domain.commands import SetInstrumentStatus
from orders.domain.values import OrderType, TimeInForce
from orders.engine import market_plans, volatility
from orders.engine.market_layers import change_state
from orders.engine.queueing import AUCTION_ONLY, COLLECTING
from orders.engine.state import Instrument, OrderState
from orders.engine.step import Step
from risk.domain.reasons import Denial, DenialReason

AUDIT_ACTIONS: Final = {
    MarketState.OPEN: "InstrumentReopened",
    MarketState.HALTED: "InstrumentHalted",
    MarketState.CANCEL_ONLY: "InstrumentSetCancelOnly",
    MarketState.POST_ONLY: "InstrumentSetPostOnly",
    MarketState.AUCTION: "InstrumentAuctionCalled",
}
_REFUSALS: Final = {
    MarketState.HALTED: DenialReason.INSTRUMENT_HALTED,
    MarketState.CANCEL_ONLY: DenialReason.INSTRUMENT_CANCEL_ONLY,
}


def set_state(step: Step, instrument: Instrument, command: SetInstrumentStatus) -> None:
    """Bring the market into the state that an operator asks for, with an entry in the audit; whom a
    change concerns is told (X14).
    """
    market_plans.end_running(step, instrument)
    volatility.end_pause(step, instrument)
    instrument.set_state = MarketState(command.status)
    step.changes.instruments[instrument.id] = instrument
    step.changes.books[instrument.id] = instrument
    change_state(step, instrument, command.reason, command.request_id)
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action=AUDIT_ACTIONS[instrument.set_state],
            target=f"instrument:{instrument.symbol}",
            reason=command.reason,
            facts={},
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )


def check_state(order: OrderState, now_ns: int) -> Denial | None:
    """Whether a market that is not open takes this order (X1)."""
    instrument = order.instrument
    refusal, state = _REFUSALS.get(instrument.state), instrument.market_state(now_ns)
    if refusal is None and state in COLLECTING:
        return _check_collecting(order, state, now_ns)
    if state is MarketState.POST_ONLY and _may_take(order, now_ns):
        refusal = DenialReason.INSTRUMENT_POST_ONLY
    return None if refusal is None else Denial(refusal, {"symbol": instrument.symbol})


def _check_collecting(order: OrderState, state: MarketState, now_ns: int) -> Denial | None:
    """What would have to trade at once is refused; everything else waits (X4)."""
    is_elected = order.type.is_stop and not order.is_waiting
    is_now = order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}
    if not (is_elected or is_now or order.post_only):
        return None
    instrument = order.instrument
    if state is MarketState.AUCTION:
        return Denial(DenialReason.INSTRUMENT_AUCTION, {"symbol": instrument.symbol})
    assert instrument.calendar is not None  # what never closes is not closed
    session = instrument.calendar.coming(now_ns)
    assert session is not None  # check_lifetime has asked for it
    return Denial(
        DenialReason.MARKET_CLOSED,
        {"symbol": instrument.symbol, "opens_at": wire_time(session.opens_ns)},
    )


def _may_take(order: OrderState, now_ns: int) -> bool:
    """Whether the order could do anything now but rest or wait."""
    if order.is_waiting or order.time_in_force in AUCTION_ONLY:
        return False
    if order.type is OrderType.MARKET:
        return True
    if order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
        return True
    taken, _ = order.instrument.book.takeable(order.side, order.limit_price, 1, now_ns)
    return taken > 0
