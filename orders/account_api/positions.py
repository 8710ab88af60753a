"""/v2/positions: what is held, and closing it by market orders, whole or in part.

A position whose quantity open orders hold is not closed around them: cancel_orders=true cancels
them first; otherwise its own entry says 403 and the others are closed.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from core.api import not_found, read_query, refusal_body
from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import ErrorReason, Refusal
from core.once import HEADER, once
from core.request_context import current_request_id
from core.services.idempotency import Claim
from orders.domain.dialect import dialect_order
from orders.domain.order_request import OrderSpec, field_refusal
from orders.domain.values import OrderType, Side, TimeInForce
from orders.domain.views import OrderView
from orders.schemas import ClosedEntrySerializer, OrderSerializer
from orders.services.ordering import cancel_all_orders, submit_order
from portfolio import api
from portfolio.api import answer
from portfolio.models import Position
from portfolio.selectors import open_positions
from risk.domain.reasons import WORDINGS, DenialReason

TRUE, FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


class PositionsView(api.PositionsView):
    """/v2/positions"""

    @extend_schema(
        parameters=[
            HEADER,
            OpenApiParameter("cancel_orders", bool, description="cancel all open orders first"),
        ],
        responses={207: ClosedEntrySerializer(many=True)},
        operation_id="close_all_positions",
    )
    def delete(self, request: Request) -> HttpResponse:
        """Close every position by a market order. 207 with one entry for each."""
        account = self.account(request)
        is_canceling = _flag(read_query(request._request.GET), "cancel_orders")

        def close(claim: Claim | None) -> HttpResponse:
            if is_canceling:
                cancel_all_orders(account=account, request_id=current_request_id())
            entries = [self._closed_entry(request, item) for item in open_positions(account)]
            return answer(entries, status=207)

        return once(request, b"", str(account.public_id), close)

    def _closed_entry(self, request: Request, position: Position) -> dict[str, object]:
        symbol = position.instrument.symbol.replace("/", "")
        try:
            order = _close(self, request, position, abs(position.quantity))
        except Refusal as refusal:
            if refusal.reason in {ErrorReason.UNAVAILABLE, ErrorReason.UNKNOWN_OUTCOME}:
                raise
            return {"symbol": symbol, "status": refusal.status, "body": refusal_body(refusal)}
        return {"symbol": symbol, "status": 200, "body": dialect_order(order)}


class PositionView(api.PositionView):
    """/v2/positions/{symbol or asset id}"""

    @extend_schema(
        parameters=[
            HEADER,
            OpenApiParameter("qty", str, description="how much; all of it unless told"),
            OpenApiParameter("percentage", str, description="instead of qty: above 0, at most 100"),
        ],
        responses={200: OrderSerializer},
        operation_id="close_position",
    )
    def delete(self, request: Request, asset: str) -> HttpResponse:
        """Close one position, or a part of it, by a market order; 404 when there is none."""
        account = self.account(request)
        part = _read_part(read_query(request._request.GET))

        def close(claim: Claim | None) -> HttpResponse:
            instrument = api.instrument_named(asset)
            position = open_positions(account).filter(instrument=instrument).first()
            if position is None:
                raise not_found("position does not exist")
            order = _close(self, request, position, part.of(position), claim)
            return answer(dialect_order(order))

        return once(request, b"", str(account.public_id), close)


class Part(NamedTuple):
    """How much of a position to close: a quantity, a percentage, or (neither) all."""

    quantity: Decimal | None
    percentage: Decimal | None

    def of(self, position: Position) -> Decimal:
        """In whole lots; a percentage is rounded down to them."""
        held = abs(position.quantity)
        if self.quantity is not None:
            return self.quantity
        if self.percentage is None:
            return held
        lots = held * self.percentage / 100 / position.instrument.lot_size
        return lots.quantize(Decimal(1), ROUND_DOWN) * position.instrument.lot_size


def _close(
    view: api.TradingView,
    request: Request,
    position: Position,
    quantity: Decimal,
    claim: Claim | None = None,
) -> OrderView:
    is_crypto = position.instrument.asset_class == "crypto"
    account = view.account(request)
    spec = OrderSpec(
        symbol=position.instrument.symbol,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC if is_crypto else TimeInForce.DAY,
        quantity=quantity,
        # The position may be gone by now: then a margin account would open one on the other side.
        reduce_only=account.margin_multiplier > 1,
    )
    try:
        return submit_order(
            account=account,
            spec=spec,
            submitted_by=view.user(request),
            request_id=current_request_id(),
            claim=claim,
        )
    except Refusal as refusal:
        if refusal.reason is not DenialReason.REDUCE_ONLY_EXCEEDS:
            raise
        held = WORDINGS[DenialReason.POSITION_INSUFFICIENT]
        raise Refusal(
            status=held.status,
            code=held.code,
            reason=refusal.reason,
            message=refusal.message,
            facts=refusal.facts,
        ) from refusal


def _read_part(query: Mapping[str, str]) -> Part:
    if "qty" in query and "percentage" in query:
        raise field_refusal("percentage", "cannot stand beside qty. Send one of them.")
    quantity, percentage = _number(query, "qty"), _number(query, "percentage")
    if percentage is not None and percentage > 100:
        raise field_refusal("percentage", "must be above 0 and at most 100.")
    return Part(quantity, percentage)


def _number(query: Mapping[str, str], name: str) -> Decimal | None:
    if name not in query:
        return None
    try:
        value = parse_decimal(query[name])
    except DecimalSyntaxError as error:
        raise field_refusal(name, f"{error}.") from error
    if value <= 0:
        raise field_refusal(name, "must be above 0.")
    return value


def _flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean as clients write it: alpaca-py sends `True`."""
    value = query.get(name, "false").lower()
    if value not in TRUE | FALSE:
        raise field_refusal(name, "must be true or false.")
    return value in TRUE
