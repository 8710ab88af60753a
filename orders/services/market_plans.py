"""Planning a market state for a time: docs/market-states.md X11 and X13.

A plan is a row first, so that it can be made while no engine runs; the schedule's job tells the
engine, which decides when it begins and ends.
"""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from accounts.models import User
from core.domain.clock import to_ns
from core.domain.errors import CODE_CONFLICT, ErrorReason, Refusal
from core.domain.origin import Origin
from core.services import audit
from marketdata.domain.market_plans import PlanStatus
from marketdata.domain.market_states import MarketState
from marketdata.models import Instrument
from orders.domain.market_commands import PlanMarketState, WithdrawMarketPlan
from orders.models import MarketPlan
from orders.services.asking import ask


class Period(NamedTuple):
    """The state of a market between two times (None: without an end)."""

    state: MarketState
    from_at: datetime
    until_at: datetime | None


@transaction.atomic
def plan_market_state(
    *,
    instrument: Instrument,
    period: Period,
    reason: str,
    actor: User,
    origin: Origin,
) -> MarketPlan:
    """Plan the state, with a reason, on the record; the engine is told of it by the schedule."""
    plan = MarketPlan.objects.create(
        instrument=instrument,
        state=period.state.value,
        from_at=period.from_at,
        until_at=period.until_at,
        reason=reason,
        planned_by_id=actor.pk,
        status=PlanStatus.PLANNED,
        changed_at=origin.now,
    )
    audit.record(
        actor=actor,
        action="MarketStatePlanned",
        target=f"instrument:{instrument.symbol}",
        reason=reason,
        facts={
            "plan": plan.pk,
            "state": period.state.value,
            "from": period.from_at.isoformat(),
            "until": period.until_at.isoformat() if period.until_at else None,
        },
        origin=origin,
    )
    return plan


def tell_market_plans(now: datetime) -> int:
    """Tell the engine of every plan that it does not know, in the order of their numbers; one that
    it refuses is REFUSED. Returns how many were told.
    """
    plans = list(
        MarketPlan.objects.filter(status=PlanStatus.PLANNED)
        .select_related("instrument")
        .order_by("id")
    )
    for plan in plans:
        try:
            ask(_command(plan))
        except Refusal as refusal:
            if refusal.status >= 500:
                raise  # nothing was done, or nobody knows: the next run tells it again
            _set_aside(plan, PlanStatus.REFUSED, now)
    return len(plans)


def _command(plan: MarketPlan) -> PlanMarketState:
    return PlanMarketState(
        plan_id=plan.pk,
        symbol=plan.instrument.symbol,
        state=plan.state,
        from_ns=to_ns(plan.from_at),
        until_ns=to_ns(plan.until_at) if plan.until_at else None,
        reason=plan.reason,
        request_id=f"market-plan-{plan.pk}",
        planned_by_id=plan.planned_by_id,
    )


def withdraw_market_plan(*, plan: MarketPlan, reason: str, actor: User, origin: Origin) -> None:
    """Drop the plan, or end it now; Refusal when it is over."""
    with transaction.atomic():
        if _set_aside(plan, PlanStatus.WITHDRAWN, origin.now):
            audit.record(
                actor=actor,
                action="MarketPlanWithdrawn",
                target=f"instrument:{plan.instrument.symbol}",
                reason=reason,
                facts={"plan": plan.pk, "state": plan.state},
                origin=origin,
            )
            return
    if not MarketPlan.objects.filter(
        pk=plan.pk, status__in=(PlanStatus.KNOWN, PlanStatus.RUNNING)
    ).exists():
        raise Refusal(
            status=409,
            code=CODE_CONFLICT,
            reason=ErrorReason.CONFLICT,
            message="The plan is over already.",
        )
    ask(
        WithdrawMarketPlan(
            plan_id=plan.pk,
            reason=reason,
            request_id=origin.request_id,
            actor_id=actor.pk,
            address=origin.address,
        )
    )


def _set_aside(plan: MarketPlan, status: PlanStatus, now: datetime) -> bool:
    """Give a plan that the engine was never told of its end; whether it was such a one."""
    untold = MarketPlan.objects.filter(pk=plan.pk, status=PlanStatus.PLANNED)
    return untold.update(status=status, changed_at=now) > 0
