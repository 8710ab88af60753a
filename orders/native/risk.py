"""The native risk routes: kill switch, asking to enable and approving, and what is restricted.

A key with the scope `trade` acts on its own accounts and their strategies; every other scope, and
every approval, takes the scope `risk`, which only roles that manage risk can have.
"""

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import HasScope
from accounts.domain.api_keys import Principal
from accounts.domain.api_keys import Scope as KeyScope
from accounts.models import User
from core.api import not_found, not_permitted, refuse_unknown_fields
from core.domain.clock import SystemClock, to_ns, wire_time
from core.request_context import origin_of
from orders.domain.order_request import field_refusal
from orders.services import change_requests, trading_states
from portfolio.api import answer
from risk.domain.scopes import Scope
from risk.domain.states import TradingState as State
from risk.models import ChangeRequest, TradingState
from risk.selectors import (
    change_requests_for,
    is_own_scope,
    scope_text,
    scope_texts,
    trading_states_for,
)

MAX_REASON_LENGTH = 500
STATES = [state.value.lower() for state in State]
REQUEST_STATUSES = ["pending", "approved", "rejected"]


class KillSerializer(serializers.Serializer[object]):
    scope = serializers.CharField(
        help_text="firm, desk:NAME, account, account:ID, strategy:TAG, strategy:ID:TAG, symbol:AAPL"
    )
    reason = serializers.CharField(max_length=MAX_REASON_LENGTH)
    state = serializers.CharField(
        required=False, help_text="halted unless told, or cancel_only, or reduce_only"
    )


class EnableSerializer(serializers.Serializer[object]):
    scope = serializers.CharField(help_text="as for kill")
    reason = serializers.CharField(max_length=MAX_REASON_LENGTH)
    state = serializers.CharField(
        required=False, help_text="active unless told, or reduce_only, or cancel_only"
    )


class ReasonSerializer(serializers.Serializer[object]):
    reason = serializers.CharField(max_length=MAX_REASON_LENGTH)


class SwitchedSerializer(serializers.Serializer[object]):
    scope = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    version = serializers.IntegerField(help_text="the number of the scope's last switch")
    canceled = serializers.IntegerField(help_text="open orders that this switch canceled")


class RequestSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    scope = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    reason = serializers.CharField()
    status = serializers.ChoiceField(REQUEST_STATUSES)
    asked_at = serializers.CharField()
    expires_at = serializers.CharField()


class StateSerializer(serializers.Serializer[object]):
    scope = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    version = serializers.IntegerField()
    reason = serializers.CharField()
    changed_at = serializers.CharField()


class RiskStateSerializer(serializers.Serializer[object]):
    scopes = StateSerializer(many=True)
    requests = RequestSerializer(many=True)


class RiskView(APIView):
    """Base of the risk routes."""

    def user(self, request: Request) -> User:
        assert isinstance(request.user, User)  # a key always belongs to one
        return request.user

    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        if self.request.method in {"GET", "HEAD"}:
            return [HasScope("read", "risk")]
        return [HasScope("trade", "risk")]

    def scope(self, request: Request, text: str) -> Scope:
        """The scope that the request names, if its key reaches it."""
        scope = trading_states.scope_of(text, self.user(request))
        principal = cast(Principal, request.auth)
        is_reached = KeyScope.RISK in principal.scopes or is_own_scope(self.user(request), scope)
        if not is_reached:
            raise not_permitted()
        return scope


class ApprovalView(RiskView):
    """Base of the routes that decide about a request: for those who manage risk."""

    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        return [HasScope("risk")]


class KillView(RiskView):
    """/api/v1/kill"""

    @extend_schema(request=KillSerializer, responses=SwitchedSerializer, operation_id="kill_switch")
    def post(self, request: Request) -> HttpResponse:
        """Halt a scope and cancel its open orders. When this answers none of them is open."""
        fields = _read(request, {"scope", "reason", "state"})
        scope = self.scope(request, fields["scope"])
        made = trading_states.restrict(
            scope=scope,
            state=_state(fields.get("state", "halted"), STATES[1:]),
            reason=fields["reason"],
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        return answer(_switched(scope.key, made.state, made.version, made.canceled))


class EnableView(RiskView):
    """/api/v1/enable"""

    @extend_schema(
        request=EnableSerializer, responses={201: RequestSerializer}, operation_id="ask_to_enable"
    )
    def post(self, request: Request) -> HttpResponse:
        """Ask that a scope may trade again. Somebody else has to approve it within a day."""
        fields = _read(request, {"scope", "reason", "state"})
        asked = trading_states.ask_to_enable(
            scope=self.scope(request, fields["scope"]),
            state=_state(fields.get("state", "active"), STATES[:-1]),
            reason=fields["reason"],
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        return answer(_request(asked, scope_text(asked.scope)), status=201)


class EnableApproveView(ApprovalView):
    """/api/v1/enable/{request_id}/approve"""

    @extend_schema(request=None, responses=SwitchedSerializer, operation_id="approve_enable")
    def post(self, request: Request, request_id: int) -> HttpResponse:
        """Approve what somebody else asked for; the scope is switched at once."""
        asked = _found(request_id)
        made = trading_states.approve(
            request=asked,
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        return answer(_switched(asked.scope, made.state, made.version, made.canceled))


class EnableRejectView(ApprovalView):
    """/api/v1/enable/{request_id}/reject"""

    @extend_schema(
        request=ReasonSerializer, responses=RequestSerializer, operation_id="reject_enable"
    )
    def post(self, request: Request, request_id: int) -> HttpResponse:
        """Turn down what somebody asked for."""
        fields = _read(request, {"reason"})
        asked = _found(request_id)
        change_requests.reject(
            request=asked,
            reason=fields["reason"],
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        asked.refresh_from_db()
        return answer(_request(asked, scope_text(asked.scope)))


class RiskStateView(RiskView):
    """/api/v1/risk/state"""

    @extend_schema(responses=RiskStateSerializer, operation_id="get_risk_state")
    def get(self, request: Request) -> HttpResponse:
        """The trading states that bind the caller's orders, and what waits for approval."""
        states = list(trading_states_for(self.user(request)))
        requests = list(change_requests_for(self.user(request)).filter(limit_kind=""))
        texts = scope_texts({row.scope for row in states} | {row.scope for row in requests})
        return answer(
            {
                "scopes": [_state_view(row, texts[row.scope]) for row in states],
                "requests": [_request(row, texts[row.scope]) for row in requests],
            }
        )


def _read(request: Request, known: set[str]) -> dict[str, str]:
    """The body's fields, all texts; `scope` and `reason` must be there when they are known."""
    data = cast(Mapping[str, object], request.data)
    refuse_unknown_fields(data, known)
    fields: dict[str, str] = {}
    for name in sorted(known):
        value = data.get(name)
        if value is None and name == "state":
            continue
        if not isinstance(value, str) or not 0 < len(value) <= MAX_REASON_LENGTH:
            raise field_refusal(name, f"must be a text of 1 to {MAX_REASON_LENGTH} characters.")
        if not value.isprintable():
            raise field_refusal(name, "must be printable.")
        fields[name] = value
    return fields


def _state(text: str, choices: list[str]) -> State:
    if text not in choices:
        raise field_refusal("state", f"must be one of: {', '.join(choices)}.")
    return State(text.upper())


def _found(request_id: int) -> ChangeRequest:
    found = ChangeRequest.objects.filter(pk=request_id, limit_kind="").first()
    if found is None:
        raise not_found("There is no such request.")
    return found


def _switched(key: str, state: str, version: int, canceled: int) -> dict[str, object]:
    return {
        "scope": scope_text(key),
        "state": state.lower(),
        "version": version,
        "canceled": canceled,
    }


def _state_view(row: TradingState, text: str) -> dict[str, object]:
    return {
        "scope": text,
        "state": row.state.lower(),
        "version": row.version,
        "reason": row.reason,
        "changed_at": wire_time(to_ns(row.changed_at)),
    }


def _request(row: ChangeRequest, text: str) -> dict[str, object]:
    return {
        "id": row.pk,
        "scope": text,
        "state": row.state.lower(),
        "reason": row.reason,
        "status": row.status.lower(),
        "asked_at": wire_time(to_ns(row.asked_at)),
        "expires_at": wire_time(to_ns(row.expires_at)),
    }
