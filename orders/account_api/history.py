"""/v2/account/portfolio/history: what the account was worth, from samples and deposits."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from core.api import read_query
from core.domain.clock import SystemClock
from orders.domain.order_request import field_refusal
from orders.domain.query_request import read_choice, read_day, read_flag, read_time
from portfolio.api import TradingView
from portfolio.domain.activities import CASH_TYPES, KNOWN_TYPES
from portfolio.domain.history import (
    FRAMES,
    MAX_FRAMES,
    DialectHistory,
    dialect_history,
    period_days,
)
from portfolio.schemas import serializer_of
from portfolio.selectors import cash_moves_of, samples_of

NUMBERS: Final = msgspec.json.Encoder(decimal_format="number")
HistorySerializer = serializer_of(DialectHistory, "HistorySerializer")
ONE_DAY = timedelta(days=1)
REPORTING: Final = ("market_hours", "extended_hours", "continuous")
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
            OpenApiParameter(
                "pnl_reset",
                str,
                enum=["no_reset", "per_day"],
                description="per_day: profit begins anew with each UTC day",
            ),
            OpenApiParameter(
                "cashflow_types", str, description="ALL, NONE (the default) or types such as CSD"
            ),
            OpenApiParameter(
                "intraday_reporting", str, enum=[*REPORTING], description="all mean the same here"
            ),
            OpenApiParameter("extended_hours", bool, description="means nothing here"),
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
        resets = read_choice(query, "pnl_reset", ("no_reset", "per_day")) == "per_day"
        _check_hours(query)
        types = _cashflow_types(query)
        history = dialect_history(
            samples_of(account, start, end),
            timeframe,
            resets_daily=resets,
            cashflow=cash_moves_of(account, start, end, types) if types else {},
        )
        return HttpResponse(NUMBERS.encode(history), content_type="application/json")


def _bounds(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    end = read_time(query, "end") or now
    last_day = read_day(query, "date_end")
    if last_day is not None:
        end = last_day + ONE_DAY
    start = read_time(query, "start")
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


def _check_hours(query: Mapping[str, str]) -> None:
    """Which hours count: samples are taken around the clock, so each choice gives the same."""
    read_choice(query, "intraday_reporting", REPORTING)
    read_flag(query, "extended_hours")


def _cashflow_types(query: Mapping[str, str]) -> frozenset[str]:
    text = query.get("cashflow_types") or "NONE"
    if text in {"ALL", "NONE"}:
        return frozenset(CASH_TYPES.values()) if text == "ALL" else frozenset()
    types = frozenset(text.split(","))
    if not types <= KNOWN_TYPES - {"FILL"}:
        raise field_refusal("cashflow_types", "must be ALL, NONE or types such as CSD,JNLC.")
    return types


def _timeframe(query: Mapping[str, str], span: timedelta) -> str:
    short = span <= timedelta(days=SHORT_PERIOD_DAYS)
    timeframe = query.get("timeframe") or ("15Min" if short else "1D")
    if timeframe not in FRAMES:
        raise field_refusal("timeframe", f"must be one of: {', '.join(FRAMES)}.")
    if span / FRAMES[timeframe] > MAX_FRAMES:
        raise field_refusal("timeframe", f"makes more than {MAX_FRAMES} frames of this period.")
    return timeframe
