"""The portal's own order routes under /api/v1: what the dialect of /v2 has no words for.

Same keys, limits and refusals as orders/api.py. An order is told in our own words, as events tell
it (docs/event-kinds.md) but with its nulls, not in the dialect's.
"""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.api import read_json_object, read_query
from core.once import HEADER, once, read_body
from core.request_context import current_request_id
from core.services.idempotency import Claim
from orders.api import CANCEL_FILTER, telling_why_not_open
from orders.domain.order_changes import read_amendment, read_cancel_filter
from orders.schemas import AmendmentSerializer, OrderViewSerializer
from orders.services.ordering import amend_order, cancel_all_orders
from portfolio.api import TradingView, answer


class NativeOrdersView(TradingView):
    """/api/v1/orders"""

    @extend_schema(
        parameters=CANCEL_FILTER,
        responses={200: OrderViewSerializer(many=True)},
        operation_id="native_cancel_all_orders",
    )
    def delete(self, request: Request) -> HttpResponse:
        """Cancel every open order, or those in these symbols and of this side. 200 with the orders
        that were open.
        """
        symbols, side = read_cancel_filter(read_query(request._request.GET))
        orders = cancel_all_orders(
            account=self.account(request),
            request_id=current_request_id(),
            symbols=symbols,
            side=side,
        )
        return answer(orders)


class NativeOrderView(TradingView):
    """/api/v1/orders/{order_id}"""

    @extend_schema(
        parameters=[HEADER],
        request=AmendmentSerializer,
        responses=OrderViewSerializer,
        operation_id="amend_order",
    )
    def patch(self, request: Request, order_id: UUID) -> HttpResponse:
        """Lower an open order's quantity. It keeps its id and its place in time; 200 with it."""
        body = read_body(request)
        quantity = read_amendment(read_json_object(body))
        account = self.account(request)

        def amend(_: Claim | None) -> HttpResponse:
            with telling_why_not_open(account, order_id):
                order = amend_order(
                    account=account,
                    order_id=order_id,
                    quantity=quantity,
                    request_id=current_request_id(),
                )
            return answer(order)

        return once(request, body, str(account.public_id), amend)
