"""Orders in the Alpaca Trading API v2 dialect: each view parses, calls one service or selector,
renders.

POST and DELETE of a single order are also served by orders/order_route.py, which answers the same
bytes without Django's request machinery; what it does not take comes here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from core.api import not_found, read_json_object, read_query
from core.domain.errors import Refusal
from core.once import HEADER, once, read_body
from core.request_context import current_request_id
from core.services.idempotency import Claim
from marketdata.selectors import symbols_named
from orders.domain.dialect import DialectOrder, dialect_order
from orders.domain.order_changes import read_cancel_filter, read_order_changes
from orders.domain.order_request import field_refusal, read_order_request
from orders.domain.query_request import read_choice, read_flag, read_time
from orders.domain.views import OrderView
from orders.models import Order
from orders.schemas import (
    CanceledEntrySerializer,
    OrderChangesSerializer,
    OrderRequestSerializer,
    OrderSerializer,
)
from orders.selectors import order_by_client_id, order_by_id, order_view, orders_of
from orders.selectors.groups import first_orders_of, nested_order_view, nested_order_views
from orders.services.ordering import (
    cancel_all_orders,
    cancel_order,
    find_order,
    replace_order,
    submit_order,
)
from portfolio.api import TradingView, answer
from portfolio.models import TradingAccount
from risk.domain.reasons import DenialReason

DEFAULT_PAGE = 50
MAX_PAGE = 500
NESTED = OpenApiParameter(
    "nested", bool, description="true: legs stand under the first order of their group"
)
CANCEL_FILTER = [
    OpenApiParameter("symbols", str, description="only orders in these, comma-separated"),
    OpenApiParameter("side", str, enum=["buy", "sell"], description="only orders of this side"),
]


class OrdersView(TradingView):
    """/v2/orders"""

    @extend_schema(
        parameters=[HEADER],
        request=OrderRequestSerializer,
        responses=OrderSerializer,
        operation_id="submit_order",
    )
    def post(self, request: Request) -> HttpResponse:
        """Place an order. 200 with the order as it was committed; a refusal changes nothing."""
        body = read_body(request)
        fields = read_json_object(body)
        account = self.account(request)

        def submit(claim: Claim | None) -> HttpResponse:
            order = submit_order(
                account=account,
                spec=read_order_request(fields),
                submitted_by=self.user(request),
                request_id=current_request_id(),
                claim=claim,
                key_id=self.key_id(request),
            )
            return answer(dialect_order(order))

        return once(request, body, str(account.public_id), submit)

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
            NESTED,
        ],
        responses=OrderSerializer(many=True),
        operation_id="list_orders",
    )
    def get(self, request: Request) -> HttpResponse:
        """The account's orders, newest first unless direction=asc."""
        return answer(_listed(self.account(request), read_query(request._request.GET)))

    @extend_schema(
        parameters=CANCEL_FILTER,
        responses={207: CanceledEntrySerializer(many=True)},
        operation_id="cancel_all_orders",
    )
    def delete(self, request: Request) -> HttpResponse:
        """Cancel every open order, or those in these symbols and of this side. 207 with one entry
        for each that was open.
        """
        symbols, side = read_cancel_filter(read_query(request._request.GET))
        orders = cancel_all_orders(
            account=self.account(request),
            request_id=current_request_id(),
            symbols=symbols,
            side=side,
        )
        return answer([_canceled_entry(order) for order in orders], status=207)


class OrderByClientIdView(TradingView):
    """/v2/orders:by_client_order_id"""

    @extend_schema(
        parameters=[OpenApiParameter("client_order_id", str, required=True), NESTED],
        responses=OrderSerializer,
        operation_id="get_order_by_client_order_id",
    )
    def get(self, request: Request) -> HttpResponse:
        """The order that bears this client order id; after an unknown outcome, 404 is certain."""
        query = read_query(request._request.GET)
        client_order_id = query.get("client_order_id", "")
        account = self.account(request)
        order = find_order(lambda: order_by_client_id(account, client_order_id))
        if order is None:
            raise not_found("order not found")
        return answer(_shown(order, query))


class OneOrderView(TradingView):
    """/v2/orders/{order_id}"""

    @extend_schema(parameters=[NESTED], responses=OrderSerializer, operation_id="get_order")
    def get(self, request: Request, order_id: UUID) -> HttpResponse:
        """One order of the account; 404 for anyone else's."""
        account = self.account(request)
        order = find_order(lambda: order_by_id(account, order_id))
        if order is None:
            raise not_found("order not found")
        return answer(_shown(order, read_query(request._request.GET)))

    @extend_schema(
        parameters=[HEADER],
        request=OrderChangesSerializer,
        responses=OrderSerializer,
        operation_id="replace_order",
    )
    def patch(self, request: Request, order_id: UUID) -> HttpResponse:
        """Put a new order in the place of an open one: 200 with the new order, whose `replaces`
        names the old one. A refusal leaves the old order as it is.
        """
        body = read_body(request)
        fields = read_json_object(body)
        account = self.account(request)

        def replace(claim: Claim | None) -> HttpResponse:
            with telling_why_not_open(account, order_id):
                order = replace_order(
                    account=account,
                    order_id=order_id,
                    changes=read_order_changes(fields),
                    submitted_by=self.user(request),
                    request_id=current_request_id(),
                    claim=claim,
                )
            return answer(dialect_order(order))

        return once(request, body, str(account.public_id), replace)

    @extend_schema(responses={204: None}, operation_id="cancel_order")
    def delete(self, request: Request, order_id: UUID) -> HttpResponse:
        """Cancel one open order: 204; 422 when it is closed, 404 when it is not the account's."""
        account = self.account(request)
        with telling_why_not_open(account, order_id):
            cancel_order(account=account, order_id=order_id, request_id=current_request_id())
        return HttpResponse(status=204)


@contextmanager
def telling_why_not_open(account: TradingAccount, order_id: UUID) -> Iterator[None]:
    """Tells a closed order (422) from one that is not there (404)."""
    try:
        yield
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
    status = read_choice(query, "status", ("open", "closed", "all"))
    is_nested = read_flag(query, "nested")
    orders = first_orders_of(account, status) if is_nested else orders_of(account)
    if status != "all" and not is_nested:
        orders = orders.filter(closed_at__isnull=status == "open")
    if "side" in query:
        orders = orders.filter(side=read_choice(query, "side", ("buy", "sell")).upper())
    if query.get("symbols"):
        orders = orders.filter(instrument__symbol__in=symbols_named(query["symbols"].split(",")))
    after, until = read_time(query, "after"), read_time(query, "until")
    if after is not None:
        orders = orders.filter(submitted_at__gt=after)
    if until is not None:
        orders = orders.filter(submitted_at__lt=until)
    if read_choice(query, "direction", ("desc", "asc")) == "asc":
        orders = orders.order_by("submitted_at", "sequence")
    found = list(orders[: _limit(query)])
    views = nested_order_views(found) if is_nested else map(order_view, found)
    return [dialect_order(view) for view in views]


def _shown(order: Order, query: Mapping[str, str]) -> DialectOrder:
    """One order, with the legs under it if it is asked for them."""
    return dialect_order(
        nested_order_view(order) if read_flag(query, "nested") else order_view(order)
    )


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 0 < int(text) <= MAX_PAGE):
        raise field_refusal("limit", f"must be a whole number from 1 to {MAX_PAGE}.")
    return int(text)


def _canceled_entry(order: OrderView) -> dict[str, object]:
    return {"id": order.id, "status": 200, "body": dialect_order(order)}
