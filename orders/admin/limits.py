"""The console's limits: setting one, and asking for a raise of one (docs/risk.md M1 and M2)."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.errors import Refusal
from core.domain.origin import Origin
from marketdata.models import Instrument
from orders.admin.actor import actor_of
from orders.admin.switching import SCOPE_HELP, ManagedAdmin, Values
from orders.services import limits, trading_states
from orders.services.limits import Wanted
from risk.domain.limit_tree import MAX_WINDOW_SECONDS, LimitKey, LimitKind
from risk.domain.scopes import Scope, read_scope
from risk.models import LIMIT_KINDS, Limit
from risk.selectors import scope_text


class ValueForm(ReasonForm):
    value = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=20,
        decimal_places=8,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Left empty: no such limit any more.",
    )
    window_seconds = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_WINDOW_SECONDS,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Of ORDER_RATE and REPEATED_ORDERS alone.",
    )


class LimitForm(ValueForm):
    """Any limit of any scope."""

    field_order = ("scope", "kind", "symbol", "value", "window_seconds", "reason")
    scope = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget, help_text=SCOPE_HELP)
    kind = forms.ChoiceField(choices=LIMIT_KINDS, widget=UnfoldAdminSelectWidget)
    symbol = forms.CharField(
        max_length=32,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Left empty: whatever is traded.",
    )

    def clean_scope(self) -> Scope:
        try:
            return trading_states.scope_of(self.cleaned_data["scope"], None)
        except Refusal as refusal:
            raise ValidationError(refusal.message) from refusal

    def clean_symbol(self) -> Instrument | None:
        symbol: str = self.cleaned_data["symbol"]
        if not symbol:
            return None
        instrument = Instrument.objects.filter(symbol=symbol).first()
        if instrument is None:
            raise ValidationError("There is no such symbol.")
        return instrument


def _set(request: HttpRequest, values: Values, origin: Origin) -> str:
    instrument: Instrument | None = values["symbol"]
    key = LimitKey(values["scope"], LimitKind(values["kind"]), instrument.pk if instrument else 0)
    limits.set_limit(
        key=key,
        wanted=_wanted(values),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"{scope_text(key.scope.key)}: {key.kind.value} is {_told(values['value'])} now."


def _change(request: HttpRequest, row: Limit, values: Values, origin: Origin) -> str:
    limits.set_limit(
        key=key_of(row),
        wanted=_wanted(values),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"is {_told(values['value'])} now."


def _ask(request: HttpRequest, row: Limit, values: Values, origin: Origin) -> str:
    asked = limits.ask_for_raise(
        key=key_of(row),
        wanted=_wanted(values),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"asked for (request {asked.pk}). Somebody else has to approve it."


def _wanted(values: Values) -> Wanted:
    return Wanted(values["value"], values["window_seconds"] or 0)


def key_of(row: Limit) -> LimitKey:
    """Which limit a row is."""
    return LimitKey(read_scope(row.scope), LimitKind(row.kind), row.instrument_id or 0)


def _told(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:f}"


def _name(row: Limit) -> str:
    symbol = f" in {row.instrument.symbol}" if row.instrument else ""
    return f"{scope_text(row.scope)} {row.kind}{symbol}, {_told(row.value)}"


LOWER = ConfirmedAction(
    "lower",
    "Lower these limits? It takes effect at once.",
    "Lower",
    _change,
    ValueForm,
    name_of=_name,
)
ASK_FOR_RAISE = ConfirmedAction(
    "ask_for_raise",
    "Ask for higher limits? Somebody else has to approve it.",
    "Ask for a raise",
    _ask,
    ValueForm,
    name_of=_name,
)


@admin.register(Limit)
class LimitAdmin(ManagedAdmin):
    """Every limit that was ever set; one without a value was taken away."""

    list_display = [
        "scope",
        "kind",
        "instrument",
        "value",
        "window_seconds",
        "reason",
        "version",
        "changed_at",
    ]
    list_filter = ["kind"]
    list_select_related = ["instrument"]
    search_fields = ["scope", "instrument__symbol"]
    ordering = ["scope", "kind", "pk"]
    actions = ["lower", "ask_for_raise"]
    form_class = LimitForm
    add_title = "Set a limit"
    add = staticmethod(_set)

    @admin.action(description="Lower", permissions=["manage"])
    def lower(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        return LOWER.run(self, request, chosen)

    @admin.action(description="Ask for a raise", permissions=["manage"])
    def ask_for_raise(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        return ASK_FOR_RAISE.run(self, request, chosen)
