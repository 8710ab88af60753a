"""/v2/account/activities: fills, fees and cash of the account, newest first, page by page."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.request import Request

from core.api import not_found, read_query
from orders.domain.order_request import field_refusal
from orders.domain.query_request import read_choice, read_day, read_time
from orders.selectors import ActivityPage, activities_of
from portfolio.api import TradingView, answer
from portfolio.domain.activities import (
    ACTIVITY_TYPES,
    KNOWN_TYPES,
    CashActivity,
    FillActivity,
    read_activity_id,
)
from portfolio.schemas import serializer_of

MAX_PAGE = 100
ACTIVITIES = PolymorphicProxySerializer(
    component_name="Activity",
    serializers=[
        serializer_of(FillActivity, "FillActivitySerializer"),
        serializer_of(CashActivity, "CashActivitySerializer"),
    ],
    resource_type_field_name=None,
    many=True,
)
PARAMETERS = [
    OpenApiParameter("date", OpenApiTypes.DATE, description="of this UTC day only"),
    OpenApiParameter("after", OpenApiTypes.DATETIME, description="later than this"),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="earlier than this"),
    OpenApiParameter("direction", str, enum=["desc", "asc"]),
    OpenApiParameter("page_size", int, description=f"1 to {MAX_PAGE}, {MAX_PAGE} unless told"),
    OpenApiParameter("page_token", str, description="the id of the last one of the page before"),
]


class ActivitiesView(TradingView):
    """/v2/account/activities"""

    @extend_schema(
        parameters=[
            OpenApiParameter("activity_types", str, description=f"of {', '.join(ACTIVITY_TYPES)}"),
            *PARAMETERS,
        ],
        responses=ACTIVITIES,
        operation_id="list_activities",
    )
    def get(self, request: Request) -> HttpResponse:
        """What happened on the account: fills, fees and cash, newest first."""
        query = read_query(request._request.GET)
        types = query.get("activity_types", "")
        return answer(activities_of(self.account(request), _read_page(query, types)))


class ActivitiesOfTypeView(TradingView):
    """/v2/account/activities/{type}"""

    @extend_schema(
        parameters=PARAMETERS,
        responses=ACTIVITIES,
        operation_id="list_activities_of_type",
    )
    def get(self, request: Request, activity_type: str) -> HttpResponse:
        """The account's activities of one type, newest first."""
        if activity_type not in KNOWN_TYPES:
            raise not_found(f"There are no activities of type {activity_type[:16]}.")
        query = read_query(request._request.GET)
        return answer(activities_of(self.account(request), _read_page(query, activity_type)))


def _read_page(query: Mapping[str, str], types: str) -> ActivityPage:
    wanted = frozenset(types.split(",")) if types else frozenset(ACTIVITY_TYPES)
    if not wanted <= KNOWN_TYPES:
        raise field_refusal("activity_types", f"must be of: {', '.join(sorted(KNOWN_TYPES))}.")
    direction = read_choice(query, "direction", ("desc", "asc"))
    after, until = _bounds(query)
    token = query.get("page_token")
    last = read_activity_id(token) if token else None
    if token and last is None:
        raise field_refusal("page_token", "must be the id of an activity.")
    return ActivityPage(
        types=wanted,
        after=after,
        until=until,
        is_ascending=direction == "asc",
        size=_size(query),
        last=last,
    )


def _bounds(query: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """(later than, earlier than); a day's first instant belongs to it."""
    day = read_day(query, "date")
    if day is not None:
        return day - timedelta(microseconds=1), day + timedelta(days=1)
    return read_time(query, "after"), read_time(query, "until")


def _size(query: Mapping[str, str]) -> int:
    text = query.get("page_size", str(MAX_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 0 < int(text) <= MAX_PAGE):
        raise field_refusal("page_size", f"must be a whole number from 1 to {MAX_PAGE}.")
    return int(text)
