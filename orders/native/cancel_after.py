"""/api/v1/cancel-after: who falls silent loses its orders (docs/requests.md D1 to D4)."""

from typing import TypeGuard

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.api import read_json_object, refuse_unknown_fields
from core.domain.clock import wire_time
from core.once import read_body
from core.request_context import current_request_id
from orders.domain import commands
from orders.domain.command_parts import MAX_DEAD_MAN_SECONDS
from orders.domain.order_request import field_refusal
from orders.domain.replies import DeadManReply
from orders.services.asking import ask
from portfolio.api import TradingView, answer


class CancelAfterSerializer(serializers.Serializer[object]):
    timeout_seconds = serializers.IntegerField(min_value=0, max_value=MAX_DEAD_MAN_SECONDS)


class CancelAfterAnswerSerializer(serializers.Serializer[object]):
    current_time = serializers.DateTimeField()
    trigger_time = serializers.DateTimeField(allow_null=True)


class CancelAfterView(TradingView):
    """/api/v1/cancel-after"""

    @extend_schema(
        request=CancelAfterSerializer,
        responses=CancelAfterAnswerSerializer,
        operation_id="cancel_after",
    )
    def post(self, request: Request) -> HttpResponse:
        """Cancel the open orders of this key when it has not called again by then; 0 disarms."""
        body = read_json_object(read_body(request))
        refuse_unknown_fields(body, {"timeout_seconds"})
        seconds = body.get("timeout_seconds")
        if not _is_timeout(seconds):
            raise field_refusal(
                "timeout_seconds", f"must be a whole number from 0 to {MAX_DEAD_MAN_SECONDS}."
            )
        reply = ask(
            commands.SetDeadMan(
                key_id=self.key_id(request),
                account_id=self.account(request).pk,
                timeout_seconds=seconds,
                request_id=current_request_id(),
            )
        )
        assert isinstance(reply, DeadManReply)
        return answer(
            {
                "current_time": wire_time(reply.now_ns),
                "trigger_time": None if reply.fires_ns is None else wire_time(reply.fires_ns),
            }
        )


def _is_timeout(value: object) -> TypeGuard[int]:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 0 <= value <= MAX_DEAD_MAN_SECONDS
