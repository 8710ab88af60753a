"""The native routes of markets: their states and bands, planned states, and setting all of them.

Every key reads; a key with the scope `risk`, of somebody who may halt instruments, sets
(docs/market-states.md X3, X11, V1).
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import HasScope
from accounts.models import User
from accounts.selectors import may_halt_instruments
from core.api import not_found, not_permitted, read_query, refuse_unknown_fields
from core.domain.clock import SystemClock, to_ns, wire_time
from core.domain.origin import Origin
from core.request_context import origin_of
from marketdata.domain.market_plans import PlanStatus
from marketdata.models import Instrument
from marketdata.selectors import instrument_by_symbol
from orders.domain import market_request as reading
from orders.domain.order_request import field_refusal
from orders.models import MarketPlan
from orders.services.instruments import Bands, set_bands, set_instrument_status
from orders.services.market_plans import Period, plan_market_state, withdraw_market_plan
from portfolio.api import answer

MAX_PLANS_SHOWN: Final = 500
STATUSES: Final = [status.value.lower() for status in PlanStatus]
RUNNING_HELP: Final = "planned, known and running ones are not over"


class MarketSerializer(serializers.Serializer[object]):
    symbol = serializers.CharField()
    state = serializers.ChoiceField(reading.STATES, help_text="of several the strictest")
    set_state = serializers.ChoiceField(reading.STATES, help_text="what was set by hand")
    paused_until = serializers.CharField(allow_null=True, help_text="of a volatility band's pause")
    market_band_bps = serializers.IntegerField(help_text="how far a market order may trade")
    volatility_bps = serializers.IntegerField(help_text="the volatility band; 0: none")
    window_seconds = serializers.IntegerField(help_text="how long one reference price holds")
    pause_state = serializers.ChoiceField(reading.PAUSE_STATES)
    pause_seconds = serializers.IntegerField()


class MarketListSerializer(serializers.Serializer[object]):
    markets = MarketSerializer(many=True)


class SetStateSerializer(serializers.Serializer[object]):
    symbol = serializers.CharField()
    state = serializers.ChoiceField(reading.STATES)
    reason = serializers.CharField(max_length=reading.MAX_REASON_LENGTH)


class SetBandsSerializer(serializers.Serializer[object]):
    symbol = serializers.CharField()
    market_band_bps = serializers.IntegerField(required=False, help_text="left out: as it is")
    volatility_bps = serializers.IntegerField(required=False, help_text="0: no band")
    window_seconds = serializers.IntegerField(required=False)
    pause_state = serializers.ChoiceField(reading.PAUSE_STATES, required=False)
    pause_seconds = serializers.IntegerField(required=False)
    reason = serializers.CharField(max_length=reading.MAX_REASON_LENGTH)


class MakePlanSerializer(serializers.Serializer[object]):
    symbol = serializers.CharField()
    state = serializers.ChoiceField(reading.PLANNED_STATES)
    from_at = serializers.DateTimeField()
    until_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="left out: until somebody sets a state by hand"
    )
    reason = serializers.CharField(max_length=reading.MAX_REASON_LENGTH)


class PlanSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    symbol = serializers.CharField()
    state = serializers.ChoiceField(reading.PLANNED_STATES)
    from_at = serializers.CharField()
    until_at = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    status = serializers.ChoiceField(STATUSES, help_text=RUNNING_HELP)
    changed_at = serializers.CharField()


class PlanListSerializer(serializers.Serializer[object]):
    plans = PlanSerializer(many=True)


class WithdrawSerializer(serializers.Serializer[object]):
    reason = serializers.CharField(max_length=reading.MAX_REASON_LENGTH)


class MarketView(APIView):
    """Base of the routes of markets."""

    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        if self.request.method in {"GET", "HEAD"}:
            return [HasScope("read", "risk")]
        return [HasScope("risk")]

    def read(self, request: Request, known: frozenset[str]) -> Mapping[str, object]:
        """The body of somebody who may halt instruments."""
        if not may_halt_instruments(self.actor(request)):
            raise not_permitted()
        data = cast(Mapping[str, object], request.data)
        refuse_unknown_fields(data, known)
        return data

    def actor(self, request: Request) -> User:
        assert isinstance(request.user, User)  # a key always belongs to one
        return request.user


class MarketsView(MarketView):
    """/api/v1/markets"""

    @extend_schema(responses=MarketListSerializer, operation_id="list_markets")
    def get(self, request: Request) -> HttpResponse:
        """The state and the bands of every market, by symbol."""
        return answer({"markets": [_market(row) for row in Instrument.objects.order_by("symbol")]})


class MarketStateView(MarketView):
    """/api/v1/markets/state"""

    @extend_schema(
        request=SetStateSerializer, responses=MarketSerializer, operation_id="set_market_state"
    )
    def post(self, request: Request) -> HttpResponse:
        """Bring a market into a state by hand: in force when this answers. It ends the plans and
        the pause that are running there.
        """
        body = self.read(request, reading.STATE_FIELDS)
        state, instrument = reading.read_state(body), _instrument(body)
        set_instrument_status(
            instrument=instrument,
            status=state.value,
            reason=reading.read_text(body, "reason"),
            actor=self.actor(request),
            origin=_origin(request),
        )
        return _changed(instrument)


class MarketBandsView(MarketView):
    """/api/v1/markets/bands"""

    @extend_schema(
        request=SetBandsSerializer, responses=MarketSerializer, operation_id="set_market_bands"
    )
    def post(self, request: Request) -> HttpResponse:
        """Set a market's collar and volatility band; what is left out stays as it is."""
        body = self.read(request, reading.BAND_FIELDS)
        wanted, instrument = reading.read_bands(body), _instrument(body)
        set_bands(
            instrument=instrument,
            bands=Bands(**wanted),  # type: ignore[arg-type]  # read field by field
            reason=reading.read_text(body, "reason"),
            actor=self.actor(request),
            origin=_origin(request),
        )
        return _changed(instrument)


class MarketPlansView(MarketView):
    """/api/v1/markets/plans"""

    @extend_schema(
        parameters=[
            OpenApiParameter("symbol", str),
            OpenApiParameter("status", str, enum=STATUSES, description=RUNNING_HELP),
        ],
        responses=PlanListSerializer,
        operation_id="list_market_plans",
    )
    def get(self, request: Request) -> HttpResponse:
        """The newest 500 planned states, those that are over included, newest first."""
        query = read_query(request._request.GET)
        refuse_unknown_fields(query, {"symbol", "status"})
        plans = MarketPlan.objects.select_related("instrument").order_by("-id")
        if "symbol" in query:
            plans = plans.filter(instrument__symbol=query["symbol"])
        if "status" in query:
            if query["status"] not in STATUSES:
                raise field_refusal("status", f"must be one of: {', '.join(STATUSES)}.")
            plans = plans.filter(status=query["status"].upper())
        return answer({"plans": [_plan(row) for row in plans[:MAX_PLANS_SHOWN]]})

    @extend_schema(
        request=MakePlanSerializer,
        responses={201: PlanSerializer},
        operation_id="plan_market_state",
    )
    def post(self, request: Request) -> HttpResponse:
        """Plan a halt, an auction or another state for a time. The engine is told within seconds;
        one that it cannot take becomes refused.
        """
        body = self.read(request, reading.PLAN_FIELDS)
        wanted = reading.read_plan(body)
        plan = plan_market_state(
            instrument=_instrument(body),
            period=Period(*wanted),
            reason=reading.read_text(body, "reason"),
            actor=self.actor(request),
            origin=_origin(request),
        )
        return answer(_plan(plan), status=201)


class MarketPlanWithdrawView(MarketView):
    """/api/v1/markets/plans/{plan_id}/withdraw"""

    @extend_schema(
        request=WithdrawSerializer, responses=PlanSerializer, operation_id="withdraw_market_plan"
    )
    def post(self, request: Request, plan_id: int) -> HttpResponse:
        """Drop a plan, or end the running one now; 409 when it is over."""
        reason = reading.read_text(self.read(request, frozenset({"reason"})), "reason")
        plan = MarketPlan.objects.select_related("instrument").filter(pk=plan_id).first()
        if plan is None:
            raise not_found("There is no such plan.")
        withdraw_market_plan(
            plan=plan, reason=reason, actor=self.actor(request), origin=_origin(request)
        )
        plan.refresh_from_db()
        return answer(_plan(plan))


def _origin(request: Request) -> Origin:
    return origin_of(request._request, SystemClock().now())


def _instrument(body: Mapping[str, object]) -> Instrument:
    symbol = reading.read_text(body, "symbol")
    instrument = instrument_by_symbol(symbol)
    if instrument is None:
        raise not_found(f'asset "{symbol}" not found.')
    return instrument


def _changed(instrument: Instrument) -> HttpResponse:
    instrument.refresh_from_db()
    return answer(_market(instrument))


def _market(row: Instrument) -> dict[str, object]:
    return {
        "symbol": row.symbol,
        "state": row.status.lower(),
        "set_state": row.set_status.lower(),
        "paused_until": wire_time(to_ns(row.paused_until)) if row.paused_until else None,
        "market_band_bps": row.market_band_bps,
        "volatility_bps": row.volatility_bps,
        "window_seconds": row.window_seconds,
        "pause_state": row.pause_state.lower(),
        "pause_seconds": row.pause_seconds,
    }


def _plan(row: MarketPlan) -> dict[str, object]:
    return {
        "id": row.pk,
        "symbol": row.instrument.symbol,
        "state": row.state.lower(),
        "from_at": wire_time(to_ns(row.from_at)),
        "until_at": wire_time(to_ns(row.until_at)) if row.until_at else None,
        "reason": row.reason,
        "status": row.status.lower(),
        "changed_at": wire_time(to_ns(row.changed_at)),
    }
