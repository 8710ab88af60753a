"""/v2/account/portfolio/history: what the account was worth, from samples and deposits."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from core.api import read_query
from core.domain.clock import SystemClock
from orders.domain.order_request import field_refusal
from portfolio.api import TradingView
from portfolio.domain.history import (
    FRAMES,
    MAX_FRAMES,
    DialectHistory,
    dialect_history,
    period_days,
)
from portfolio.schemas import serializer_of
from portfolio.selectors import samples_of

NUMBERS: Final = msgspec.json.Encoder(decimal_format="number")
HistorySerializer = serializer_of(DialectHistory, "HistorySerializer")
ONE_DAY = timedelta(days=1)
SHORT_PERIOD_DAYS = 7
"""Up to this the timeframe is 15Min unless told, beyond it 1D."""


class PortfolioHistoryView(TradingView):
    """/v2/account/portfolio/history"""

    @extend_schema(
        parameters=[
            OpenApiParameter("period", str, description="1D, 2W, 3M, 1A; 1M unless told"),
            OpenApiParameter("timeframe", str, enum=[*FRAMES]),
            OpenApiParameter("start", OpenApiTypes.DATETIME, description="instead of period"),
            OpenApiParameter("end", OpenApiTypes.DATETIME, description="now unless told"),
            OpenApiParameter("date_end", OpenApiTypes.DATE, description="instead of end"),
        ],
        responses=HistorySerializer,
        operation_id="get_portfolio_history",
    )
    def get(self, request: Request) -> HttpResponse:
        """Equity and profit over a period, frame by frame, oldest first."""
        account = self.account(request)
        query = read_query(request._request.GET)
        start, end = _bounds(query, SystemClock().now())
        timeframe = _timeframe(query, end - start)
        history = dialect_history(samples_of(account, start, end), timeframe)
        return HttpResponse(NUMBERS.encode(history), content_type="application/json")


def _bounds(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    end = _moment(query, "end") or now
    if "date_end" in query:
        end = (_moment(query, "date_end") or now) + ONE_DAY
    start = _moment(query, "start")
    if start is not None and "period" in query:
        raise field_refusal("period", "cannot stand beside start. Send one of them.")
    if start is None:
        days = period_days(query.get("period", "1M"))
        if days is None:
            raise field_refusal("period", "must be a number and D, W, M or A, such as 1M.")
        start = end - timedelta(days=days)
    if start >= end:
        raise field_refusal("start", "must be before the end.")
    return start, end


def _timeframe(query: Mapping[str, str], span: timedelta) -> str:
    short = span <= timedelta(days=SHORT_PERIOD_DAYS)
    timeframe = query.get("timeframe") or ("15Min" if short else "1D")
    if timeframe not in FRAMES:
        raise field_refusal("timeframe", f"must be one of: {', '.join(FRAMES)}.")
    if span / FRAMES[timeframe] > MAX_FRAMES:
        raise field_refusal("timeframe", f"makes more than {MAX_FRAMES} frames of this period.")
    return timeframe


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    """A time, or a day's midnight in UTC."""
    if not query.get(name):
        return None
    try:
        moment = datetime.fromisoformat(query[name].replace(" ", "+"))
    except ValueError as error:
        raise field_refusal(name, "must be a time such as 2026-01-31T12:00:00Z.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
