"""The native routes of limits: what binds one's orders, setting, asking for a raise and approving.

Keys reach as far as for the kill switch (orders/native/risk.py): `trade` one's own accounts and
their strategies, `risk` every scope and every approval.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.api import not_found, refuse_unknown_fields
from core.domain.clock import SystemClock, to_ns, wire_time
from core.domain.decimals import DecimalSyntaxError, decimal_from_json, to_wire
from core.domain.units import units_to_wire
from core.request_context import origin_of
from marketdata.selectors import instrument_by_symbol
from orders.domain.order_request import field_refusal
from orders.native.risk import (
    MAX_REASON_LENGTH,
    REQUEST_STATUSES,
    ApprovalView,
    ReasonSerializer,
    RiskView,
)
from orders.services import change_requests
from orders.services import limits as services
from orders.services.limits import Wanted
from portfolio.api import answer
from risk.domain.limit_tree import KINDS as TERMS
from risk.domain.limit_tree import LimitKey, LimitKind
from risk.domain.limit_words import WORDS, LimitUnit
from risk.domain.recommended import RECOMMENDED
from risk.domain.scopes import FIRM
from risk.models import ChangeRequest, Limit
from risk.selectors import change_requests_for, limits_for, scope_text, scope_texts

KINDS: Final = [kind.value.lower() for kind in LimitKind]
KIND_HELP: Final = "; ".join(f"{kind.lower()}: {words.meaning}" for kind, words in WORDS.items())
FIELDS: Final = frozenset({"scope", "kind", "symbol", "value", "window_seconds", "reason"})
WINDOW_HELP: Final = "of order_rate and repeated_orders: what comes within so many seconds"


class SetLimitSerializer(serializers.Serializer[object]):
    scope = serializers.CharField(help_text="as for the kill switch")
    kind = serializers.ChoiceField(KINDS, help_text=KIND_HELP)
    symbol = serializers.CharField(required=False, help_text="left out: whatever is traded")
    value = serializers.CharField(allow_null=True, help_text="null: no such limit any more")
    window_seconds = serializers.IntegerField(required=False, help_text=WINDOW_HELP)
    reason = serializers.CharField(max_length=MAX_REASON_LENGTH)


class LimitSerializer(serializers.Serializer[object]):
    scope = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    symbol = serializers.CharField(allow_null=True)
    value = serializers.CharField(allow_null=True)
    window_seconds = serializers.IntegerField(help_text=WINDOW_HELP)
    version = serializers.IntegerField(help_text="the number of its last change")


class LimitInForceSerializer(LimitSerializer):
    label = serializers.CharField(  # type: ignore[assignment]  # of the answer, not of the form
        help_text="what people call it"
    )
    unit = serializers.ChoiceField(list(LimitUnit), help_text="what its value counts")
    used = serializers.CharField(
        allow_null=True,
        help_text="what it comes to now; null: it counts nothing, or the engine is away",
    )
    reason = serializers.CharField()
    changed_at = serializers.CharField()


class RaiseSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    scope = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    symbol = serializers.CharField(allow_null=True)
    value = serializers.CharField(allow_null=True)
    window_seconds = serializers.IntegerField(help_text=WINDOW_HELP)
    reason = serializers.CharField()
    status = serializers.ChoiceField(REQUEST_STATUSES)
    asked_at = serializers.CharField()
    expires_at = serializers.CharField()


class LimitListSerializer(serializers.Serializer[object]):
    limits = LimitInForceSerializer(many=True)
    requests = RaiseSerializer(many=True)


class LimitKindSerializer(serializers.Serializer[object]):
    kind = serializers.ChoiceField(KINDS)
    label = serializers.CharField()  # type: ignore[assignment]  # of the answer, not of the form
    unit = serializers.ChoiceField(list(LimitUnit))
    meaning = serializers.CharField()
    has_window = serializers.BooleanField(help_text="whether it takes window_seconds")
    recommended = serializers.CharField(allow_null=True, help_text="for the firm, to begin with")
    recommended_window_seconds = serializers.IntegerField()


class LimitKindListSerializer(serializers.Serializer[object]):
    kinds = LimitKindSerializer(many=True)


class RecommendedSetSerializer(serializers.Serializer[object]):
    set = serializers.ListField(
        child=serializers.CharField(), help_text="the kinds that were missing"
    )


class _Wanted:
    """The limit that a body names, its value and the reason."""

    def __init__(self, view: RiskView, request: Request) -> None:
        data = cast(Mapping[str, object], request.data)
        refuse_unknown_fields(data, set(FIELDS))
        kind = _text(data, "kind")
        if kind not in KINDS:
            raise field_refusal("kind", f"must be one of: {', '.join(KINDS)}.")
        self.symbol = _text(data, "symbol") if data.get("symbol") is not None else None
        self.key = LimitKey(
            view.scope(request, _text(data, "scope")),
            LimitKind(kind.upper()),
            _instrument_id(self.symbol),
        )
        if "value" not in data:
            raise field_refusal("value", "is required; null takes the limit away.")
        window = data.get("window_seconds", 0)
        if isinstance(window, bool) or not isinstance(window, int) or window < 0:
            raise field_refusal("window_seconds", "must be a whole number of seconds.")
        self.wanted = Wanted(_number(data["value"]), window)
        self.reason = _text(data, "reason")


class LimitsView(RiskView):
    """/api/v1/risk/limits"""

    @extend_schema(responses=LimitListSerializer, operation_id="list_limits")
    def get(self, request: Request) -> HttpResponse:
        """The limits that bind the caller's orders, and the raises that wait for approval."""
        user = self.user(request)
        limits = list(limits_for(user))
        raises = change_requests_for(user).exclude(limit_kind="").select_related("instrument")
        texts = scope_texts({row.scope for row in limits} | {row.scope for row in raises})
        used = (services.usage_now() or {}) if limits else {}
        return answer(
            {
                "limits": [_limit(row, texts[row.scope], used.get(row.key)) for row in limits],
                "requests": [_raise(row, texts[row.scope]) for row in raises],
            }
        )

    @extend_schema(request=SetLimitSerializer, responses=LimitSerializer, operation_id="set_limit")
    def post(self, request: Request) -> HttpResponse:
        """Set a first limit or a tighter one: in force when this answers. A raise is refused with
        FOUR_EYES_REQUIRED.
        """
        wanted = _Wanted(self, request)
        made = services.set_limit(
            key=wanted.key,
            wanted=wanted.wanted,
            reason=wanted.reason,
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        return answer(
            {
                "scope": scope_text(wanted.key.scope.key),
                "kind": wanted.key.kind.value.lower(),
                "symbol": wanted.symbol,
                "value": _wire(wanted.wanted.value),
                "window_seconds": wanted.wanted.window_seconds,
                "version": made.version,
            }
        )


class LimitKindsView(RiskView):
    """/api/v1/risk/limits/kinds"""

    @extend_schema(responses=LimitKindListSerializer, operation_id="list_limit_kinds")
    def get(self, request: Request) -> HttpResponse:
        """What limits there are, in the order in which an order is judged by them."""
        return answer({"kinds": [_kind(kind) for kind in LimitKind]})


class RecommendedView(RiskView):
    """/api/v1/risk/limits/recommended"""

    @extend_schema(
        request=ReasonSerializer,
        responses=RecommendedSetSerializer,
        operation_id="set_recommended_limits",
    )
    def post(self, request: Request) -> HttpResponse:
        """Set the firm's recommended limits of the kinds of which it has none; the others stay."""
        data = cast(Mapping[str, object], request.data)
        refuse_unknown_fields(data, {"reason"})
        reason = _text(data, "reason")
        self.scope(request, FIRM.key)
        made = services.set_recommended(
            reason=reason,
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        return answer({"set": [kind.value.lower() for kind in made]})


class RaiseView(RiskView):
    """/api/v1/risk/limits/raise"""

    @extend_schema(
        request=SetLimitSerializer,
        responses={201: RaiseSerializer},
        operation_id="ask_for_limit_raise",
    )
    def post(self, request: Request) -> HttpResponse:
        """Ask for a higher limit, or none. Somebody else has to approve it within a day."""
        wanted = _Wanted(self, request)
        asked = services.ask_for_raise(
            key=wanted.key,
            wanted=wanted.wanted,
            reason=wanted.reason,
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        return answer(_raise(asked, scope_text(asked.scope)), status=201)


class RaiseApproveView(ApprovalView):
    """/api/v1/risk/limits/requests/{request_id}/approve"""

    @extend_schema(request=None, responses=RaiseSerializer, operation_id="approve_limit_raise")
    def post(self, request: Request, request_id: int) -> HttpResponse:
        """Approve what somebody else asked for; the limit is changed at once."""
        asked = _found(request_id)
        change_requests.approve(
            request=asked,
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        return _decided(asked)


class RaiseRejectView(ApprovalView):
    """/api/v1/risk/limits/requests/{request_id}/reject"""

    @extend_schema(
        request=ReasonSerializer, responses=RaiseSerializer, operation_id="reject_limit_raise"
    )
    def post(self, request: Request, request_id: int) -> HttpResponse:
        """Turn down what somebody asked for."""
        data = cast(Mapping[str, object], request.data)
        refuse_unknown_fields(data, {"reason"})
        reason, asked = _text(data, "reason"), _found(request_id)
        change_requests.reject(
            request=asked,
            reason=reason,
            actor=self.user(request),
            origin=origin_of(request._request, SystemClock().now()),
        )
        return _decided(asked)


def _text(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_REASON_LENGTH:
        raise field_refusal(name, f"must be a text of 1 to {MAX_REASON_LENGTH} characters.")
    if not value.isprintable():
        raise field_refusal(name, "must be printable.")
    return value


def _number(value: object) -> Decimal | None:
    try:
        return None if value is None else decimal_from_json(value)
    except DecimalSyntaxError as error:
        raise field_refusal("value", f"{error}.") from error


def _instrument_id(symbol: str | None) -> int:
    if symbol is None:
        return 0
    instrument = instrument_by_symbol(symbol)
    if instrument is None:
        raise not_found(f'asset "{symbol}" not found.')
    return instrument.pk


def _found(request_id: int) -> ChangeRequest:
    found = ChangeRequest.objects.exclude(limit_kind="").filter(pk=request_id).first()
    if found is None:
        raise not_found("There is no such request.")
    return found


def _decided(asked: ChangeRequest) -> HttpResponse:
    asked.refresh_from_db()
    return answer(_raise(asked, scope_text(asked.scope)))


def _wire(value: Decimal | None) -> str | None:
    return None if value is None else to_wire(value)


def _limit(row: Limit, text: str, used: int | None) -> dict[str, object]:
    words = WORDS[LimitKind(row.kind)]
    return {
        "label": words.label,
        "unit": words.unit.value,
        "used": None if used is None else units_to_wire(used),
        "scope": text,
        "kind": row.kind.lower(),
        "symbol": row.instrument.symbol if row.instrument else None,
        "value": _wire(row.value),
        "window_seconds": row.window_seconds,
        "version": row.version,
        "reason": row.reason,
        "changed_at": wire_time(to_ns(row.changed_at)),
    }


def _kind(kind: LimitKind) -> dict[str, object]:
    words, wanted = WORDS[kind], RECOMMENDED.get(kind)
    return {
        "kind": kind.value.lower(),
        "label": words.label,
        "unit": words.unit.value,
        "meaning": words.meaning,
        "has_window": TERMS[kind].has_window,
        "recommended": _wire(wanted.value if wanted else None),
        "recommended_window_seconds": wanted.window_seconds if wanted else 0,
    }


def _raise(row: ChangeRequest, text: str) -> dict[str, object]:
    return {
        "id": row.pk,
        "scope": text,
        "kind": row.limit_kind.lower(),
        "symbol": row.instrument.symbol if row.instrument else None,
        "value": _wire(row.value),
        "window_seconds": row.window_seconds,
        "reason": row.reason,
        "status": row.status.lower(),
        "asked_at": wire_time(to_ns(row.asked_at)),
        "expires_at": wire_time(to_ns(row.expires_at)),
    }
