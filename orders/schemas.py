"""The order routes' shapes for the OpenAPI page; reading is orders/domain/order_request.py's."""

from rest_framework import serializers

from orders.domain.dialect import DialectOrder
from orders.domain.values import OrderType, Side, TimeInForce
from portfolio.schemas import serializer_of


def _lower(values: type[Side] | type[OrderType] | type[TimeInForce]) -> list[str]:
    return [value.value.lower() for value in values]


class OrderRequestSerializer(serializers.Serializer[object]):
    symbol = serializers.CharField(help_text="AAPL, BTC/USD")
    qty = serializers.CharField(help_text="decimal string or JSON number")
    side = serializers.ChoiceField(_lower(Side))
    type = serializers.ChoiceField(_lower(OrderType))
    time_in_force = serializers.ChoiceField(_lower(TimeInForce))
    limit_price = serializers.CharField(required=False, help_text="with type limit")
    client_order_id = serializers.CharField(required=False, max_length=128)


OrderSerializer = serializer_of(DialectOrder, "OrderSerializer")
