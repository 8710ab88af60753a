"""The state of a market that several things may set at once, and who is told when it changes:
docs/market-states.md, X10 and X14.
"""

from core.domain.clock import wire_time
from marketdata.domain.market_plans import MarketPlan, PlanStatus
from marketdata.domain.market_states import joined
from orders.domain.views import AccountEvent, MarketStateView
from orders.engine import lifecycle
from orders.engine.render import balance_view
from orders.engine.state import Account, EngineState, Instrument
from orders.engine.step import Step
from orders.engine.trading_states import concerned
from risk.domain.scopes import Scope, ScopeKind


def running_plans(state: EngineState, instrument: Instrument) -> list[MarketPlan]:
    return [
        known
        for _, known in sorted(state.market_plans.items())
        if known.instrument_id == instrument.id and known.status is PlanStatus.RUNNING
    ]


def change_state(step: Step, instrument: Instrument, reason: str, request_id: str) -> None:
    """Let the state follow from all that sets it; if it changes, those it concerns are told."""
    running = running_plans(step.state, instrument)
    pauses = [instrument.pause] if instrument.pause else []
    layers = [*(known.state for known in running), *(pause.state for pause in pauses)]
    state = joined([instrument.set_state, *layers])
    if state is instrument.state:
        return
    instrument.state = state
    step.changes.instruments[instrument.id] = instrument
    step.changes.books[instrument.id] = instrument
    ends = [known.until_ns for known in running] + [pause.until_ns for pause in pauses]
    until_ns = min((end for end in ends if end is not None), default=None)
    view = MarketStateView(
        symbol=instrument.symbol,
        state=state.value,
        until=None if until_ns is None else wire_time(until_ns),
        reason=reason,
    )
    house = step.state.accounts.get(step.state.house_id)
    accounts = concerned(step.state, Scope(ScopeKind.SYMBOL, instrument.id))
    for account in ([house] if house is not None else []) + accounts:
        _tell(step, account, view, request_id)


def _tell(step: Step, account: Account, view: MarketStateView, request_id: str) -> None:
    lifecycle.append_account_event(
        step,
        account,
        AccountEvent(
            event="MarketStateChanged",
            version=1,
            account_id=account.public_id,
            account_sequence=account.sequence + 1,
            occurred_at=wire_time(step.now_ns),
            request_id=request_id,
            balance=balance_view(account),
            market_state=view,
        ),
    )
