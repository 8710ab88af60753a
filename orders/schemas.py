"""The order routes' shapes for the OpenAPI page; reading is orders/domain/order_request.py's."""

from rest_framework import serializers

from core.schemas import ErrorSerializer
from orders.domain.dialect import DialectOrder
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from orders.domain.views import OrderView
from portfolio.schemas import serializer_of


def _lower(values: type[Side] | type[OrderType] | type[TimeInForce] | type[StpMode]) -> list[str]:
    return [value.value.lower() for value in values]


class TakeProfitSerializer(serializers.Serializer[object]):
    limit_price = serializers.CharField()


class StopLossSerializer(serializers.Serializer[object]):
    stop_price = serializers.CharField()
    limit_price = serializers.CharField(required=False, help_text="makes it a stop-limit order")


class OrderRequestSerializer(serializers.Serializer[object]):
    symbol = serializers.CharField(help_text="AAPL, BTC/USD")
    qty = serializers.CharField(
        required=False, help_text="decimal string or JSON number; this or notional"
    )
    notional = serializers.CharField(
        required=False, help_text="with type market: the value to buy or sell at most"
    )
    side = serializers.ChoiceField(_lower(Side))
    type = serializers.ChoiceField(_lower(OrderType))
    time_in_force = serializers.ChoiceField(_lower(TimeInForce))
    limit_price = serializers.CharField(required=False, help_text="with type limit and stop_limit")
    stop_price = serializers.CharField(required=False, help_text="with type stop and stop_limit")
    trail_price = serializers.CharField(
        required=False, help_text="with type trailing_stop, this or trail_percent"
    )
    trail_percent = serializers.CharField(required=False, help_text="1.5 is 1.5 %")
    expires_at = serializers.DateTimeField(required=False, help_text="with time_in_force gtd")
    client_order_id = serializers.CharField(required=False, max_length=128)
    order_class = serializers.ChoiceField(
        ["simple", "bracket", "oco", "oto"], required=False, help_text="simple unless told"
    )
    take_profit = TakeProfitSerializer(required=False)
    stop_loss = StopLossSerializer(required=False)
    strategy = serializers.CharField(
        required=False, max_length=32, help_text="a tag of yours that limits and switches can name"
    )
    display_qty = serializers.CharField(
        required=False, help_text="shown at a time; the rest of the order is hidden"
    )
    post_only = serializers.BooleanField(required=False, help_text="rest, or be refused")
    reduce_only = serializers.BooleanField(required=False, help_text="lessen a position only")
    deadline = serializers.DateTimeField(
        required=False, help_text="taken by then (RFC 3339), or not at all"
    )
    stp_mode = serializers.ChoiceField(
        _lower(StpMode), required=False, help_text="self-trade prevention; else the account's"
    )


class OrderChangesSerializer(serializers.Serializer[object]):
    qty = serializers.CharField(
        required=False, help_text="of the new order; what is left unless told"
    )
    limit_price = serializers.CharField(required=False)
    stop_price = serializers.CharField(required=False, help_text="while no trade has reached it")
    trail = serializers.CharField(
        required=False, help_text="of a trailing stop, in the kind that it was placed with"
    )
    time_in_force = serializers.ChoiceField(_lower(TimeInForce), required=False)
    client_order_id = serializers.CharField(
        required=False, max_length=128, help_text="of the new order"
    )


class AmendmentSerializer(serializers.Serializer[object]):
    quantity = serializers.CharField(help_text="less than now, more than has filled")


OrderViewSerializer = serializer_of(OrderView, "OrderViewSerializer")
OrderSerializer = serializer_of(DialectOrder, "OrderSerializer")


class EntrySerializer(serializers.Serializer[object]):
    """One of several that a request was about: its status, and what came of it or why not."""

    status = serializers.IntegerField()


class CanceledEntrySerializer(EntrySerializer):
    id = serializers.UUIDField()
    body = OrderSerializer()


class ClosedEntrySerializer(EntrySerializer):
    symbol = serializers.CharField()
    body = serializers.DictField(help_text="the closing order, or the refusal")


class PlacedBatchEntrySerializer(EntrySerializer):
    order = OrderSerializer(required=False)
    error = ErrorSerializer(required=False)


class CanceledBatchEntrySerializer(PlacedBatchEntrySerializer):
    id = serializers.UUIDField()
