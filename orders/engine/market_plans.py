"""Market states that are planned: known from a command, begun and ended by `now`.

Rules X10 to X14 of docs/market-states.md. No timer and no job begins or ends one: the core looks at
the time before whatever it does.
"""

from typing import Final

from core.services.audit_log import AuditRow
from marketdata.domain.market_plans import MarketPlan, PlanStatus
from marketdata.domain.market_states import MarketState
from orders.domain.market_commands import PlanMarketState, WithdrawMarketPlan
from orders.engine.lifetime import DAY_NS, whole_micros
from orders.engine.market_layers import change_state, running_plans
from orders.engine.state import EngineState, Instrument
from orders.engine.step import Step
from risk.domain.reasons import Denial, DenialReason

MAX_PLANS: Final = 1_000
"""Plans that the engine may have something to do for."""

MAX_AHEAD_DAYS: Final = 400

_ACTIONS: Final = {
    PlanStatus.RUNNING: "MarketPlanStarted",
    PlanStatus.OVER: "MarketPlanEnded",
    PlanStatus.MISSED: "MarketPlanMissed",
    PlanStatus.WITHDRAWN: "MarketPlanWithdrawn",
}


def plan(step: Step, command: PlanMarketState) -> Denial | None:
    """Know of the plan from now on; one that is known already changes nothing (X11)."""
    state = step.state
    if command.plan_id in state.market_plans:
        return None
    instrument = state.instrument(command.symbol)
    why = _why_not(state, command, instrument, step.now_ns)
    if instrument is None or why:
        return Denial(DenialReason.PLAN_REFUSED, {"why": why})
    from_ns, until_ns = _times(command)
    state.market_plan_number = command.plan_id
    known = MarketPlan(
        id=command.plan_id,
        instrument_id=instrument.id,
        state=MarketState(command.state),
        from_ns=from_ns,
        until_ns=until_ns,
        reason=command.reason,
        planned_by_id=command.planned_by_id,
        status=PlanStatus.KNOWN,
        changed_ns=step.now_ns,
    )
    _note(step, known)
    take_due(step)
    return None


def _why_not(
    state: EngineState, command: PlanMarketState, instrument: Instrument | None, now_ns: int
) -> str:
    if instrument is None:
        return f"there is no instrument {command.symbol}"
    if command.plan_id <= state.market_plan_number:
        return "it was told too late, or is over; plan it anew"
    from_ns, until_ns = _times(command)
    if until_ns is not None and until_ns <= from_ns:
        return "it would end before it begins"
    if from_ns > now_ns + MAX_AHEAD_DAYS * DAY_NS:
        return f"it begins more than {MAX_AHEAD_DAYS} days ahead"
    if len(state.market_plans) >= MAX_PLANS:
        return f"there are {MAX_PLANS} plans already"
    return ""


def withdraw(step: Step, command: WithdrawMarketPlan) -> Denial | None:
    """Drop the plan; if it is running it ends (X13)."""
    known = step.state.market_plans.get(command.plan_id)
    if known is None:
        return Denial(DenialReason.PLAN_UNKNOWN, {})
    was_running = known.status is PlanStatus.RUNNING
    ended = _set_status(step, known, PlanStatus.WITHDRAWN, command)
    if was_running:
        _change_state(step, ended)
    return None


def take_due(step: Step) -> None:
    """Begin and end the plans whose time has come (X12)."""
    for _, known in sorted(step.state.market_plans.items()):
        due_ns = known.due_ns
        if due_ns is None or due_ns > step.now_ns:
            continue
        is_over = known.until_ns is not None and known.until_ns <= step.now_ns
        if known.status is PlanStatus.KNOWN and is_over:
            _set_status(step, known, PlanStatus.MISSED)
            continue
        status = PlanStatus.OVER if is_over else PlanStatus.RUNNING
        _change_state(step, _set_status(step, known, status))


def end_running(step: Step, instrument: Instrument) -> None:
    """An operator sets the state by hand: what is planned for now there is over (X13)."""
    for known in running_plans(step.state, instrument):
        _set_status(step, known, PlanStatus.OVER, action="MarketPlanOverruled")


def _set_status(
    step: Step,
    known: MarketPlan,
    status: PlanStatus,
    by: WithdrawMarketPlan | None = None,
    action: str = "",
) -> MarketPlan:
    """The plan with its new status, noted and on the record."""
    changed = known._replace(status=status, changed_ns=step.now_ns)
    _note(step, changed)
    symbol = step.state.instruments_by_id[known.instrument_id].symbol
    step.changes.audits.append(
        AuditRow(
            actor_id=by.actor_id if by else None,
            action=action or _ACTIONS[status],
            target=f"instrument:{symbol}",
            reason=by.reason if by else known.reason,
            facts={"plan": str(known.id), "state": known.state.value},
            address=by.address if by else None,
            request_id=by.request_id if by else _request_id(known),
            occurred_ns=step.now_ns,
        )
    )
    return changed


def _note(step: Step, known: MarketPlan) -> None:
    """The plan is to be stored, and looked at when it is due."""
    state = step.state
    if known.status in {PlanStatus.KNOWN, PlanStatus.RUNNING}:
        state.market_plans[known.id] = known
    else:
        del state.market_plans[known.id]
    step.changes.market_plans[known.id] = known
    state.note_market_time()


def _change_state(step: Step, known: MarketPlan) -> None:
    """The market's state follows, and those whom it concerns are told."""
    instrument = step.state.instruments_by_id[known.instrument_id]
    change_state(step, instrument, known.reason, _request_id(known))


def _request_id(known: MarketPlan) -> str:
    return f"market-plan-{known.id}"


def _times(command: PlanMarketState) -> tuple[int, int | None]:
    """Beginning and end as the database keeps them."""
    until_ns = command.until_ns
    return whole_micros(command.from_ns), None if until_ns is None else whole_micros(until_ns)
