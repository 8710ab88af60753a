"""Trading accounts with their money; operators open them and adjust their cash, by the engine."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.domain import roles
from accounts.models import User
from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.clock import SystemClock
from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import ErrorReason, Refusal
from core.domain.origin import Origin
from core.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from core.request_context import origin_of
from core.services import idempotency
from orders.admin.actor import actor_of
from orders.admin.fees import SET_TIER
from orders.admin.margin import SET_MARGIN
from orders.admin.switching import JOIN_DESK, KILL_ACCOUNT
from orders.domain.values import StpMode
from orders.services.account_modes import set_stp_mode
from orders.services.money import adjust_cash, open_account
from portfolio.models import Balance, Position, TradingAccount


class AmountField(forms.CharField):
    """A decimal in plain notation: a form field of Django's would also take 1e3 and odd digits."""

    def __init__(self, *, is_negative_allowed: bool, **options: Any) -> None:
        super().__init__(max_length=40, widget=UnfoldAdminTextInputWidget, **options)
        self._is_negative_allowed = is_negative_allowed

    def clean(self, value: object) -> Decimal:
        try:
            amount = parse_decimal(super().clean(value))
        except DecimalSyntaxError as error:
            raise ValidationError(f"This {error}.") from error
        if amount < 0 and not self._is_negative_allowed:
            raise ValidationError("This must not be negative.")
        return amount


class AdjustCashForm(ReasonForm):
    amount = AmountField(
        is_negative_allowed=True, help_text="Added to the cash; with a minus, taken from it."
    )

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if not amount:
            raise ValidationError("Nothing would change.")
        return amount


class StpModeForm(ReasonForm):
    stp_mode = forms.ChoiceField(
        choices=TradingAccount.StpMode.choices,
        label="Self-trade prevention",
        widget=UnfoldAdminSelectWidget,
        help_text="For orders accepted from now on that name no mode themselves.",
    )


class OpenAccountForm(forms.Form):
    """Its id lets a form that is sent twice open one account."""

    act_id = forms.UUIDField(widget=forms.HiddenInput)
    owner = forms.CharField(max_length=150, label="User name", widget=UnfoldAdminTextInputWidget)
    name = forms.CharField(max_length=64, initial="Main", widget=UnfoldAdminTextInputWidget)
    cash = AmountField(is_negative_allowed=False, label="Starting cash", initial="0")

    def clean_owner(self) -> User:
        owner = User.objects.filter(username=self.cleaned_data["owner"], is_active=True).first()
        if owner is None:
            raise ValidationError("There is no active user of that name.")
        return owner


def _adjust_cash(
    request: HttpRequest, account: TradingAccount, values: dict[str, Any], origin: Origin
) -> str:
    balance = adjust_cash(
        account=account,
        amount=values["amount"],
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"adjusted by {values['amount']}; the total is now {balance.total}."


def _set_stp_mode(
    request: HttpRequest, account: TradingAccount, values: dict[str, Any], origin: Origin
) -> str:
    set_stp_mode(
        account=account,
        mode=StpMode(values["stp_mode"]),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"self-trade prevention is now {values['stp_mode']}."


def _open_once(request: HttpRequest, values: dict[str, Any]) -> str:  # Any: the form's values
    """Open the account that the form describes, unless it was sent before; says what was done."""
    origin = origin_of(request, SystemClock().now())
    actor = actor_of(request)
    wanted = {name: values[name] for name in ("owner", "name", "cash")}
    claim = idempotency.begin(
        user_id=actor.pk,
        key=f"console open_account {values['act_id']}",
        request_hash=idempotency.request_hash(
            method="open_account", path=request.path, body=repr(wanted).encode()
        ),
        now=origin.now,
    )
    if isinstance(claim, idempotency.StoredAnswer):
        return f"This form was sent before. It said: {claim.body}"
    try:
        account = open_account(**wanted, actor=actor, origin=origin)
    except Refusal as refusal:
        if refusal.reason is ErrorReason.UNKNOWN_OUTCOME:
            idempotency.finish(claim, status=refusal.status, body=refusal.message)
        else:
            idempotency.abandon(claim)
        raise
    sentence = f"{account} of {account.owner} was opened."
    idempotency.finish(claim, status=200, body=sentence)
    return sentence


ADJUST_CASH = ConfirmedAction(
    "adjust_cash",
    "Change the cash of these accounts?",
    "Adjust cash",
    _adjust_cash,
    AdjustCashForm,
    name_of=lambda account: f"{account.name} of {account.owner} ({account.public_id})",
)


SET_STP_MODE = ConfirmedAction(
    "set_stp_mode",
    "Change what happens when orders of these accounts' owners would trade with each other?",
    "Set self-trade prevention",
    _set_stp_mode,
    StpModeForm,
    name_of=lambda account: f"{account.name} of {account.owner} ({account.public_id})",
)


class BalanceInline(ReadOnlyInline):
    model = Balance
    fields = ("currency", "total", "locked")
    readonly_fields = fields


class PositionInline(ReadOnlyInline):
    model = Position
    fields = ("instrument", "quantity", "locked", "cost_basis", "realized_pnl")
    readonly_fields = fields


_SHOWN = (
    "public_id",
    "name",
    "owner",
    "desk",
    "kind",
    "venue_kind",
    "currency",
    "fee_tier",
    "stp_mode",
    "margin_multiplier",
    "is_shorting_enabled",
    "created_at",
)


@admin.register(TradingAccount)
class TradingAccountAdmin(ReadOnlyAdmin):
    list_display = [*_SHOWN]
    fields = [*_SHOWN]
    list_filter = ["kind", "venue_kind", "fee_tier"]
    list_select_related = ["owner", "desk", "currency", "fee_tier"]
    search_fields = ["name", "owner__username"]
    uuid_fields = ("public_id",)
    number_fields = ("id",)
    readonly_fields = ["public_id"]
    inlines = [BalanceInline, PositionInline]
    actions = ["adjust_cash", "set_fee_tier", "set_margin", "set_stp_mode", "kill", "join_desk"]

    @admin.action(description="Adjust cash", permissions=["adjust_cash"])
    def adjust_cash(
        self, request: HttpRequest, accounts: QuerySet[TradingAccount]
    ) -> HttpResponse | None:
        # The house and the street are the other side of every transfer, not somebody's money.
        owned = accounts.filter(kind=TradingAccount.Kind.CASH).select_related("owner")
        return ADJUST_CASH.run(self, request, owned)

    @admin.action(description="Set fee tier", permissions=["set_fees"])
    def set_fee_tier(
        self, request: HttpRequest, accounts: QuerySet[TradingAccount]
    ) -> HttpResponse | None:
        owned = accounts.filter(kind=TradingAccount.Kind.CASH).select_related("owner")
        return SET_TIER.run(self, request, owned)

    @admin.action(description="Set margin", permissions=["set_margin"])
    def set_margin(
        self, request: HttpRequest, accounts: QuerySet[TradingAccount]
    ) -> HttpResponse | None:
        owned = accounts.filter(kind=TradingAccount.Kind.CASH).select_related("owner")
        return SET_MARGIN.run(self, request, owned)

    def has_set_margin_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.SET_MARGIN)

    def has_set_fees_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.SET_FEES)

    @admin.action(description="Kill switch", permissions=["manage_trading"])
    def kill(self, request: HttpRequest, accounts: QuerySet[TradingAccount]) -> HttpResponse | None:
        owned = accounts.filter(kind=TradingAccount.Kind.CASH).select_related("owner")
        return KILL_ACCOUNT.run(self, request, owned)

    @admin.action(description="Join or leave desk", permissions=["manage_trading"])
    def join_desk(
        self, request: HttpRequest, accounts: QuerySet[TradingAccount]
    ) -> HttpResponse | None:
        return JOIN_DESK.run(self, request, accounts.filter(kind=TradingAccount.Kind.CASH))

    def has_manage_trading_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.MANAGE_TRADING_STATES)

    @admin.action(description="Set self-trade prevention", permissions=["set_stp_mode"])
    def set_stp_mode(
        self, request: HttpRequest, accounts: QuerySet[TradingAccount]
    ) -> HttpResponse | None:
        owned = accounts.filter(kind=TradingAccount.Kind.CASH).select_related("owner")
        return SET_STP_MODE.run(self, request, owned)

    def has_set_stp_mode_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.SET_STP_MODE)

    def has_adjust_cash_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.ADJUST_CASH)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(roles.ADJUST_CASH)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Open a trading account for somebody, with starting cash."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = OpenAccountForm(request.POST or None, initial={"act_id": uuid4()})
        if request.method == "POST" and form.is_valid():
            try:
                self.message_user(request, _open_once(request, form.cleaned_data))
            except Refusal as refusal:
                form.add_error(None, refusal.message)
            else:
                return HttpResponseRedirect(reverse("admin:portfolio_tradingaccount_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Open a trading account",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "orders/console_open_account.html", context)
