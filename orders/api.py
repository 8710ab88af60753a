"""Orders in the Alpaca Trading API v2 dialect: each view parses, calls one service or selector,
renders.

POST and DELETE of a single order are also served by orders/order_route.py, which answers the same
bytes without Django's request machinery; what it does not take comes here.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from core.api import StrictJsonParser, not_found, read_json_object, read_query, refusal_body
from core.domain import strict_json
from core.domain.clock import SystemClock
from core.domain.errors import ErrorReason, Refusal
from core.request_context import current_request_id
from core.services import idempotency
from orders.domain.dialect import DialectOrder, dialect_order
from orders.domain.order_request import field_refusal, read_order_request
from orders.domain.views import OrderView
from orders.schemas import OrderRequestSerializer, OrderSerializer
from orders.selectors import order_by_client_id, order_by_id, order_view, orders_of
from orders.services import cancel_all_orders, cancel_order, submit_order
from portfolio.api import TradingView, answer
from portfolio.models import TradingAccount
from risk.domain.reasons import DenialReason

DEFAULT_PAGE = 50
MAX_PAGE = 500


class OrdersView(TradingView):
    """/v2/orders"""

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description='a quoted string, such as "8e03978e": the same request is done once',
            )
        ],
        request=OrderRequestSerializer,
        responses=OrderSerializer,
        operation_id="submit_order",
    )
    def post(self, request: Request) -> HttpResponse:
        """Place an order. 200 with the order as it was committed; a refusal changes nothing."""
        body = _read_body(request)
        fields = read_json_object(body)
        return _once(request, body, lambda: self._submit(request, fields))

    def _submit(self, request: Request, fields: Mapping[str, object]) -> HttpResponse:
        order = submit_order(
            account=self.account(request),
            spec=read_order_request(fields),
            submitted_by=self.user(request),
            request_id=current_request_id(),
        )
        return answer(dialect_order(order))

    @extend_schema(
        parameters=[
            OpenApiParameter("status", str, enum=["open", "closed", "all"]),
            OpenApiParameter(
                "limit", int, description=f"1 to {MAX_PAGE}, {DEFAULT_PAGE} unless told"
            ),
            OpenApiParameter(
                "after", OpenApiTypes.DATETIME, description="submitted after, exclusive"
            ),
            OpenApiParameter(
                "until", OpenApiTypes.DATETIME, description="submitted before, exclusive"
            ),
            OpenApiParameter("direction", str, enum=["asc", "desc"]),
            OpenApiParameter("side", str, enum=["buy", "sell"]),
            OpenApiParameter("symbols", str, description="comma-separated"),
            OpenApiParameter("nested", str, description="accepted; there are no nested orders"),
        ],
        responses=OrderSerializer(many=True),
        operation_id="list_orders",
    )
    def get(self, request: Request) -> HttpResponse:
        """The account's orders, newest first unless direction=asc."""
        return answer(_listed(self.account(request), read_query(request._request.GET)))

    @extend_schema(responses={207: OpenApiTypes.OBJECT}, operation_id="cancel_all_orders")
    def delete(self, request: Request) -> HttpResponse:
        """Cancel every open order. 207 with one entry for each that was open."""
        orders = cancel_all_orders(account=self.account(request), request_id=current_request_id())
        return answer([_canceled_entry(order) for order in orders], status=207)


class OrderByClientIdView(TradingView):
    """/v2/orders:by_client_order_id"""

    @extend_schema(
        parameters=[OpenApiParameter("client_order_id", str, required=True)],
        responses=OrderSerializer,
        operation_id="get_order_by_client_order_id",
    )
    def get(self, request: Request) -> HttpResponse:
        """The order that bears this client order id."""
        client_order_id = read_query(request._request.GET).get("client_order_id", "")
        order = order_by_client_id(self.account(request), client_order_id)
        if order is None:
            raise not_found("order not found")
        return answer(dialect_order(order_view(order)))


class OneOrderView(TradingView):
    """/v2/orders/{order_id}"""

    @extend_schema(responses=OrderSerializer, operation_id="get_order")
    def get(self, request: Request, order_id: UUID) -> HttpResponse:
        """One order of the account; 404 for anyone else's."""
        order = order_by_id(self.account(request), order_id)
        if order is None:
            raise not_found("order not found")
        return answer(dialect_order(order_view(order)))

    @extend_schema(responses={204: None}, operation_id="cancel_order")
    def delete(self, request: Request, order_id: UUID) -> HttpResponse:
        """Cancel one open order: 204; 422 when it is closed, 404 when it is not the account's."""
        cancel_known_order(self.account(request), order_id, current_request_id())
        return HttpResponse(status=204)


def _read_body(request: Request) -> bytes:
    """The body of a JSON request. DRF itself takes a body without Content-Length for none."""
    if request._request.content_type != StrictJsonParser.media_type:
        raise UnsupportedMediaType(request._request.content_type or "")
    return request._request.read(strict_json.MAX_BODY_BYTES + 1)


def _once(request: Request, body: bytes, act: Callable[[], HttpResponse]) -> HttpResponse:
    """What `act` answers; with an Idempotency-Key, what the first request with it was answered.

    Refusals are kept as well, except the one that says that nothing could be done. After an
    unknown outcome the key stays claimed: later requests with it get 409, never a second order.
    """
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return act()
    claim = idempotency.begin(
        user_id=cast(int, request.user.pk),
        key=idempotency.read_key(header),
        request_hash=idempotency.request_hash(method="POST", path=request.path, body=body),
        now=SystemClock().now(),
    )
    if isinstance(claim, idempotency.StoredAnswer):
        return answer(claim.body, claim.status)
    try:
        response = act()
    except Refusal as refusal:
        if refusal.reason is ErrorReason.UNAVAILABLE:
            idempotency.abandon(claim)
        elif refusal.reason is not ErrorReason.UNKNOWN_OUTCOME:
            idempotency.finish(claim, status=refusal.status, body=refusal_body(refusal))
        raise
    idempotency.finish(claim, status=response.status_code, body=json.loads(response.content))
    return response


def cancel_known_order(account: TradingAccount, order_id: UUID, request_id: str) -> OrderView:
    """Cancel the order; tells a closed order (422) from one that is not there (404)."""
    try:
        return cancel_order(account=account, order_id=order_id, request_id=request_id)
    except Refusal as refusal:
        if refusal.reason is not DenialReason.ORDER_NOT_OPEN:
            raise
        raise why_not_open(account, order_id, refusal) from refusal


def why_not_open(account: TradingAccount, order_id: UUID, refusal: Refusal) -> Refusal:
    """The refusal of a cancel that found no open order: unknown, or closed in which state."""
    order = order_by_id(account, order_id)
    if order is None:
        return not_found("order not found")
    status = dialect_order(order_view(order)).status
    return Refusal(
        status=refusal.status,
        code=refusal.code,
        reason=refusal.reason,
        message=f'order is already in "{status}" state',
        facts={"order_status": status},
    )


def _listed(account: TradingAccount, query: Mapping[str, str]) -> list[DialectOrder]:
    orders = orders_of(account)
    status = _choice(query, "status", ("open", "closed", "all"))
    if status != "all":
        orders = orders.filter(closed_at__isnull=status == "open")
    if "side" in query:
        orders = orders.filter(side=_choice(query, "side", ("buy", "sell")).upper())
    if query.get("symbols"):
        orders = orders.filter(instrument__symbol__in=query["symbols"].split(","))
    if "after" in query:
        orders = orders.filter(submitted_at__gt=_moment(query, "after"))
    if "until" in query:
        orders = orders.filter(submitted_at__lt=_moment(query, "until"))
    if _choice(query, "direction", ("desc", "asc")) == "asc":
        orders = orders.order_by("sequence")
    return [dialect_order(order_view(order)) for order in orders[: _limit(query)]]


def _choice(query: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The parameter's value, the first choice when it is absent."""
    value = query.get(name, choices[0])
    if value not in choices:
        raise field_refusal(name, f"must be one of: {', '.join(choices)}.")
    return value


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 0 < int(text) <= MAX_PAGE):
        raise field_refusal("limit", f"must be a whole number from 1 to {MAX_PAGE}.")
    return int(text)


def _moment(query: Mapping[str, str], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(query[name].replace(" ", "+"))
    except ValueError as error:
        raise field_refusal(name, "must be a time such as 2026-01-31T12:00:00Z.") from error
    if moment.tzinfo is None:
        raise field_refusal(name, "must name its time zone, such as 2026-01-31T12:00:00Z.")
    return moment


def _canceled_entry(order: OrderView) -> dict[str, object]:
    return {"id": order.id, "status": 200, "body": dialect_order(order)}
