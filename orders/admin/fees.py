"""Fee tiers: operators make them, change their rates and give them to accounts, by the engine."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.domain import roles
from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.clock import SystemClock
from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import Refusal
from core.domain.origin import Origin
from core.read_only_admin import ReadOnlyAdmin
from core.request_context import origin_of
from orders.admin.actor import actor_of
from orders.services.fees import TierTerms, set_account_tier, set_fee_tier
from portfolio.models import FeeTier, TradingAccount


class BpsField(forms.CharField):
    """Basis points in plain notation."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=12, widget=UnfoldAdminTextInputWidget, **options)

    def clean(self, value: object) -> Decimal:
        try:
            return parse_decimal(super().clean(value))
        except DecimalSyntaxError as error:
            raise ValidationError(f"This {error}.") from error


class _Rates(forms.Form):
    maker_bps = BpsField(label="Maker, basis points")
    taker_bps = BpsField(label="Taker, basis points", help_text="At most 1000; maker at most this.")


class RatesForm(_Rates, ReasonForm):
    """What a change of rates asks."""


class NewTierForm(_Rates):
    """Without an id of its own: setting a tier twice sets the same."""

    code = forms.RegexField(
        r"\A[A-Z0-9][A-Z0-9_-]{0,15}\Z",
        widget=UnfoldAdminTextInputWidget,
        help_text="Capital letters, digits, - and _; cannot be changed later.",
    )
    name = forms.CharField(max_length=64, widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(min_length=5, max_length=500, widget=UnfoldAdminTextInputWidget)
    field_order = ("code", "name", "maker_bps", "taker_bps", "reason")


class AccountTierForm(ReasonForm):
    tier = forms.ModelChoiceField(
        FeeTier.objects.order_by("code"),
        required=False,
        empty_label="No fees",
        widget=UnfoldAdminSelectWidget,
    )


def _set_rates(request: HttpRequest, tier: FeeTier, values: dict[str, Any], origin: Origin) -> str:
    _set_tier(request, {**values, "code": tier.code, "name": tier.name}, origin)
    return f"the rates are now {values['maker_bps']} and {values['taker_bps']}."


def _set_tier(request: HttpRequest, values: dict[str, Any], origin: Origin) -> None:
    set_fee_tier(
        terms=TierTerms(values["code"], values["name"], values["maker_bps"], values["taker_bps"]),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )


def _give_tier(
    request: HttpRequest, account: TradingAccount, values: dict[str, Any], origin: Origin
) -> str:
    tier: FeeTier | None = values["tier"]
    set_account_tier(
        account=account,
        tier=tier,
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"pays {tier} from now on." if tier else "pays no fees from now on."


SET_TIER = ConfirmedAction(
    "set_fee_tier",
    "Change what these accounts pay from their next fill on?",
    "Set fee tier",
    _give_tier,
    AccountTierForm,
    name_of=lambda account: f"{account.name} of {account.owner} ({account.public_id})",
)
SET_RATES = ConfirmedAction(
    "set_rates",
    "Change what all accounts of these tiers pay from their next fill on?",
    "Set rates",
    _set_rates,
    RatesForm,
)


@admin.register(FeeTier)
class FeeTierAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "maker_bps", "taker_bps"]
    fields = ["code", "name", "maker_bps", "taker_bps"]
    ordering = ["code"]
    actions = ["set_rates"]

    @admin.action(description="Set rates", permissions=["set_fees"])
    def set_rates(self, request: HttpRequest, tiers: QuerySet[FeeTier]) -> HttpResponse | None:
        return SET_RATES.run(self, request, tiers)

    def has_set_fees_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.SET_FEES)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(roles.SET_FEES)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a fee tier."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewTierForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                origin = origin_of(request, SystemClock().now())
                _set_tier(request, form.cleaned_data, origin)
            except Refusal as refusal:
                form.add_error(None, refusal.message)
            else:
                self.message_user(request, f"{form.cleaned_data['name']} is set.")
                return HttpResponseRedirect(reverse("admin:portfolio_feetier_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Make a fee tier",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "orders/console_fee_tier.html", context)
