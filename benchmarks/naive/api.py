"""Serializers and views of the yardstick: what one writes in the first week."""

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.naive.models import Order
from benchmarks.naive.services import OrderInput, Refused, cancel_order, place_order


class OrderInputSerializer(serializers.Serializer[OrderInput]):
    symbol = serializers.CharField(max_length=32)
    client_order_id = serializers.CharField(max_length=48)
    side = serializers.ChoiceField(choices=Order.Side.choices)
    qty = serializers.DecimalField(max_digits=28, decimal_places=8, min_value=0, source="quantity")
    limit_price = serializers.DecimalField(max_digits=18, decimal_places=8, min_value=0)
    type = serializers.ChoiceField(choices=["limit"])
    time_in_force = serializers.ChoiceField(choices=["gtc"])


class OrderSerializer(serializers.ModelSerializer[Order]):
    symbol = serializers.CharField(source="instrument.symbol")

    class Meta:
        model = Order
        fields = [
            "id", "client_order_id", "symbol", "side", "quantity", "limit_price",
            "filled_quantity", "status", "created_at", "updated_at",
        ]  # fmt: skip


class OrderListView(APIView):
    def post(self, request: Request) -> Response:
        serializer = OrderInputSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        data = OrderInput(
            symbol=values["symbol"],
            client_order_id=values["client_order_id"],
            side=values["side"],
            quantity=values["quantity"],
            limit_price=values["limit_price"],
        )
        try:
            order = place_order(request.user.account.pk, data)
        except Refused as refusal:
            return Response({"message": str(refusal)}, status=status.HTTP_403_FORBIDDEN)
        return Response(OrderSerializer(order).data)


class OrderDetailView(APIView):
    def delete(self, request: Request, order_id: int) -> Response:
        try:
            cancel_order(request.user.account.pk, order_id)
        except Refused as refusal:
            return Response({"message": str(refusal)}, status=status.HTTP_403_FORBIDDEN)
        return Response(status=status.HTTP_204_NO_CONTENT)
