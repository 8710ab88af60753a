"""Planned market states that are not over, for the operators' page of markets."""

from typing import Final

from django.db.models import QuerySet

from marketdata.domain.market_plans import OPEN_STATUSES, PlanStatus
from orders.models import MarketPlan

MAX_SHOWN: Final = 100


def coming_plans() -> QuerySet[MarketPlan]:
    """Those that run and those to come, the earliest first."""
    statuses = {*OPEN_STATUSES, PlanStatus.PLANNED}
    coming = MarketPlan.objects.filter(status__in=statuses).select_related("instrument")
    return coming.order_by("from_at", "id")[:MAX_SHOWN]
