"""Market states that are planned: operators make and withdraw plans (docs/market-states.md X11)."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.domain import roles
from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.origin import Origin
from marketdata.domain.market_states import STORED_STATES, MarketState
from marketdata.models import Instrument
from orders.admin.actor import actor_of
from orders.admin.switching import ManagedAdmin
from orders.models import MarketPlan
from orders.services.market_plans import Period, plan_market_state, withdraw_market_plan

Values = dict[str, Any]  # Any: what a form has read

PLANNED = [(state.value, state.value) for state in STORED_STATES if state is not MarketState.OPEN]


class PlanForm(ReasonForm):
    instrument = forms.ModelChoiceField(
        Instrument.objects.order_by("symbol"), widget=UnfoldAdminSelectWidget
    )
    state = forms.ChoiceField(choices=PLANNED, widget=UnfoldAdminSelectWidget)
    from_at = forms.DateTimeField(
        label="From", widget=UnfoldAdminTextInputWidget, help_text="UTC: 2026-01-31 12:00"
    )
    until_at = forms.DateTimeField(
        label="Until",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="UTC; empty: until somebody sets another state by hand",
    )

    def clean(self) -> Values:
        values: Values = super().clean() or {}
        begins, ends = values.get("from_at"), values.get("until_at")
        if begins and ends and ends <= begins:
            raise ValidationError("The plan would end before it begins.")
        return values


def _plan(request: HttpRequest, values: Values, origin: Origin) -> str:
    plan = plan_market_state(
        instrument=values["instrument"],
        period=Period(MarketState(values["state"]), values["from_at"], values["until_at"]),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"Planned: {plan}."


def _withdraw(request: HttpRequest, plan: MarketPlan, values: Values, origin: Origin) -> str:
    withdraw_market_plan(plan=plan, reason=values["reason"], actor=actor_of(request), origin=origin)
    return "withdrawn."


WITHDRAW = ConfirmedAction(
    "withdraw", "Withdraw these plans? One that is running ends at once.", "Withdraw", _withdraw
)


@admin.register(MarketPlan)
class MarketPlanAdmin(ManagedAdmin):
    list_display = ["instrument", "state", "from_at", "until_at", "status", "reason", "changed_at"]
    list_filter = ["status"]
    list_select_related = ["instrument"]
    search_fields = ["instrument__symbol"]
    ordering = ["-pk"]
    actions = ["withdraw"]
    form_class = PlanForm
    add_title = "Plan a market state"
    add = staticmethod(_plan)

    @admin.action(description="Withdraw", permissions=["manage"])
    def withdraw(self, request: HttpRequest, chosen: QuerySet[MarketPlan]) -> HttpResponse | None:
        return WITHDRAW.run(self, request, chosen)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.HALT_INSTRUMENTS)
