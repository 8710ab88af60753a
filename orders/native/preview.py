"""The native what-if: would this order be let in now, and what would its limits come to?"""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.api import read_json_object
from core.once import read_body
from core.request_context import current_request_id
from orders.domain.order_request import read_order_request
from orders.schemas import OrderRequestSerializer
from orders.services.limits import what_if
from portfolio.api import TradingView, answer


class HeadroomSerializer(serializers.Serializer[object]):
    scope = serializers.CharField()
    kind = serializers.CharField()
    symbol = serializers.CharField(allow_null=True)
    limit = serializers.CharField()
    would_be = serializers.CharField(
        allow_null=True, help_text="null: the order takes nothing of this limit"
    )


class DeniedSerializer(serializers.Serializer[object]):
    reason = serializers.CharField()
    message = serializers.CharField()
    facts = serializers.DictField(child=serializers.CharField())


class WhatIfSerializer(serializers.Serializer[object]):
    denied = DeniedSerializer(allow_null=True)
    limits = HeadroomSerializer(many=True)


class OrderPreviewView(TradingView):
    """/api/v1/orders/preview"""

    @extend_schema(
        request=OrderRequestSerializer, responses=WhatIfSerializer, operation_id="preview_order"
    )
    def post(self, request: Request) -> HttpResponse:
        """What would refuse the order now, and what every limit on its path would come to with it.
        Nothing is placed and nothing is counted.
        """
        told = what_if(
            account=self.account(request),
            spec=read_order_request(read_json_object(read_body(request))),
            viewer=self.user(request),
            request_id=current_request_id(),
        )
        denied = told.denied
        return answer(
            {
                "denied": denied
                and {"reason": denied.reason, "message": denied.sentence, "facts": denied.facts},
                "limits": told.limits,
            }
        )
