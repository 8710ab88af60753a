"""The operators' queue under /api/v1: what is open in every account, and canceling of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import HasScope
from accounts.models import User
from accounts.selectors import may_read_all_accounts
from core.api import not_permitted, read_query, refuse_unknown_fields
from core.domain.clock import SystemClock
from core.request_context import origin_of
from orders.domain.order_request import field_refusal
from orders.domain.queue_request import (
    DEFAULT_PAGE,
    MAX_PAGE,
    QUEUE_STATES,
    read_queue_query,
)
from orders.schemas import OrderViewSerializer
from orders.selectors.queues import QueuedOrder, queue_page, queue_size
from orders.services.operating import cancel_for_owner
from portfolio.api import answer
from portfolio.schemas import serializer_of

MAX_REASON_LENGTH = 500


class CancelReasonSerializer(serializers.Serializer[object]):
    reason = serializers.CharField(max_length=MAX_REASON_LENGTH)


class QueueSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField(help_text="how many match, whatever the page")
    orders = serializer_of(QueuedOrder, "QueuedOrderSerializer")(many=True)
    next_after = serializers.IntegerField(
        allow_null=True, help_text="`after` of the next page; null: this is the last"
    )


class OperatorView(APIView):
    """Base of the operators' routes: for keys with the scope `risk`."""

    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        return [HasScope("risk")]


class QueueView(OperatorView):
    """/api/v1/queue"""

    @extend_schema(
        parameters=[
            OpenApiParameter("account", str, description="its public id"),
            OpenApiParameter("symbol", str),
            OpenApiParameter("state", str, enum=list(QUEUE_STATES)),
            OpenApiParameter("after", int, description="the last page's next_after"),
            OpenApiParameter("limit", int, description=f"1 to {MAX_PAGE}, else {DEFAULT_PAGE}"),
        ],
        responses=QueueSerializer,
        operation_id="list_queue",
    )
    def get(self, request: Request) -> HttpResponse:
        """What is open in every account, oldest first, with what stands before each order."""
        if not may_read_all_accounts(request.user):
            raise not_permitted()
        query = read_queue_query(read_query(request._request.GET))
        rows = queue_page(query, SystemClock().now())
        is_full = len(rows) == query.size
        return answer(
            {
                "total": queue_size(query),
                "orders": rows,
                "next_after": rows[-1].number if is_full else None,
            }
        )


class QueuedOrderView(OperatorView):
    """/api/v1/queue/{order_id}/cancel"""

    @extend_schema(
        request=CancelReasonSerializer,
        responses=OrderViewSerializer,
        operation_id="cancel_queued_order",
    )
    def post(self, request: Request, order_id: UUID) -> HttpResponse:
        """Cancel somebody's order with a reason, which its account's people are told."""
        data = request.data
        assert isinstance(data, Mapping)  # the parser takes nothing else
        refuse_unknown_fields(data, {"reason"})
        reason = data.get("reason")
        text = reason.strip() if isinstance(reason, str) and reason.isprintable() else ""
        if not 0 < len(text) <= MAX_REASON_LENGTH:
            raise field_refusal("reason", f"must be a text of 1 to {MAX_REASON_LENGTH} characters.")
        assert isinstance(request.user, User)  # a key always belongs to one
        return answer(
            cancel_for_owner(
                order_id=order_id,
                reason=text,
                actor=request.user,
                origin=origin_of(request._request, SystemClock().now()),
            )
        )
