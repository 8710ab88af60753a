"""The console's kill switch: trading states, what waits for a second person, schedules, desks."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.domain import roles
from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.domain.origin import Origin
from core.read_only_admin import ReadOnlyAdmin
from core.request_context import origin_of
from core.services import audit
from orders.admin.actor import actor_of
from orders.services import change_requests, trading_states
from portfolio.models import Desk, TradingAccount
from risk.domain.scopes import Scope, ScopeKind, read_scope
from risk.domain.states import TradingState as State
from risk.models import ChangeRequest, ScheduledSwitch, TradingState
from risk.selectors import scope_text

STRICTER = [(state.value, state.value) for state in State if state is not State.ACTIVE]
LOOSER = [(state.value, state.value) for state in State if state is not State.HALTED]


SCOPE_HELP = "firm, desk:NAME, account:ID, strategy:ID:TAG or symbol:AAPL"


class ScopeForm(ReasonForm):
    """Any scope and what it is to be switched to."""

    scope = forms.CharField(
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text=SCOPE_HELP,
    )
    state = forms.ChoiceField(choices=STRICTER[::-1], widget=UnfoldAdminSelectWidget)

    def clean_scope(self) -> Scope:
        try:
            return trading_states.scope_of(self.cleaned_data["scope"], None)
        except Refusal as refusal:
            raise ValidationError(refusal.message) from refusal


class ScheduleForm(ScopeForm):
    due_at = forms.DateTimeField(
        label="When", widget=UnfoldAdminTextInputWidget, help_text="UTC: 2026-01-31 12:00"
    )


class EnableForm(ReasonForm):
    state = forms.ChoiceField(choices=LOOSER, widget=UnfoldAdminSelectWidget)


class DeskForm(ReasonForm):
    name = forms.CharField(max_length=64, widget=UnfoldAdminTextInputWidget)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Desk.objects.filter(name=name).exists():
            raise ValidationError("There is a desk of that name.")
        return name


class JoinForm(ReasonForm):
    desk = forms.ModelChoiceField(
        Desk.objects.all(),
        required=False,
        empty_label="none: leave the desk",
        widget=UnfoldAdminSelectWidget,
    )


Values = dict[str, Any]  # Any: what a form has read


def _kill_account(
    request: HttpRequest, account: TradingAccount, values: Values, origin: Origin
) -> str:
    made = trading_states.restrict(
        scope=Scope(ScopeKind.ACCOUNT, account.pk),
        state=State.HALTED,
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"halted; {made.canceled} orders were canceled."


def _join(request: HttpRequest, account: TradingAccount, values: Values, origin: Origin) -> str:
    trading_states.join_desk(
        account=account,
        desk=values["desk"],
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"joined {values['desk']}." if values["desk"] else "left its desk."


def _ask(request: HttpRequest, row: TradingState, values: Values, origin: Origin) -> str:
    asked = trading_states.ask_to_enable(
        scope=read_scope(row.scope),
        state=State(values["state"]),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"asked for (request {asked.pk}). Somebody else has to approve it."


def _approve(request: HttpRequest, row: ChangeRequest, values: Values, origin: Origin) -> str:
    change_requests.approve(request=row, actor=actor_of(request), origin=origin)
    return f"approved; the scope is {row.wanted} now."


def _reject(request: HttpRequest, row: ChangeRequest, values: Values, origin: Origin) -> str:
    change_requests.reject(
        request=row, reason=values["reason"], actor=actor_of(request), origin=origin
    )
    return "rejected."


KILL_ACCOUNT = ConfirmedAction(
    "kill",
    "Halt these accounts and cancel all their open orders? Enabling them again takes two persons.",
    "Kill switch",
    _kill_account,
    name_of=lambda account: f"{account.name} of {account.owner} ({account.public_id})",
)
JOIN_DESK = ConfirmedAction(
    "join_desk",
    "Put these accounts into a desk, or into none? They leave another one only without positions.",
    "Join desk",
    _join,
    JoinForm,
)
ASK = ConfirmedAction(
    "ask_to_enable",
    "Ask that these scopes may trade again? Somebody else has to approve it.",
    "Ask to enable",
    _ask,
    EnableForm,
    name_of=lambda row: f"{scope_text(row.scope)} ({row.state})",
)
APPROVE = ConfirmedAction(
    "approve",
    "Approve what somebody else asked for? It takes effect at once.",
    "Approve",
    _approve,
    name_of=lambda row: f"{scope_text(row.scope)} to {row.wanted}, asked for by {row.asked_by}",
)
REJECT = ConfirmedAction(
    "reject", "Turn these requests down?", "Reject", _reject, name_of=APPROVE.name_of
)


class ManagedAdmin(ReadOnlyAdmin):
    """Pages of those who manage risk, with one form to add."""

    form_class: type[ReasonForm]
    add_title: str
    add: Callable[[HttpRequest, Values, Origin], str]

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.MANAGE_TRADING_STATES)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_manage_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Values | None = None
    ) -> HttpResponse:
        """The form, or what it asks for done once it is filled in."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.form_class(request.POST or None, initial={"act_id": uuid4()})
        if request.method == "POST" and form.is_valid():
            origin = origin_of(request, SystemClock().now())
            try:
                self.message_user(request, type(self).add(request, form.cleaned_data, origin))
            except Refusal as refusal:
                form.add_error(None, refusal.message)
            else:
                meta = self.opts
                return HttpResponseRedirect(
                    reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
                )
        context = {
            **self.admin_site.each_context(request),
            "title": self.add_title,
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "orders/console_risk_form.html", context)


def _restrict_scope(request: HttpRequest, values: Values, origin: Origin) -> str:
    made = trading_states.restrict(
        scope=values["scope"],
        state=State(values["state"]),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"{scope_text(values['scope'].key)} is {made.state}; {made.canceled} orders canceled."


def _schedule(request: HttpRequest, values: Values, origin: Origin) -> str:
    made = trading_states.schedule_switch(
        scope=values["scope"],
        state=State(values["state"]),
        reason=values["reason"],
        due_at=values["due_at"],
        actor=actor_of(request),
        origin=origin,
    )
    return f"Scheduled: {made}."


@transaction.atomic
def _make_desk(request: HttpRequest, values: Values, origin: Origin) -> str:
    desk = Desk.objects.create(name=values["name"])
    audit.record(
        actor=actor_of(request),
        action="DeskMade",
        target=f"desk:{desk.pk}",
        reason=values["reason"],
        facts={"name": desk.name},
        origin=origin,
    )
    return f"{desk.name} was made."


@admin.register(TradingState)
class TradingStateAdmin(ManagedAdmin):
    """The switched scopes; adding one is the kill switch."""

    list_display = ["scope", "state", "account", "reason", "version", "is_clearing", "changed_at"]
    list_filter = ["state"]
    list_select_related = ["account"]
    search_fields = ["scope"]
    ordering = ["-changed_at", "pk"]
    actions = ["ask_to_enable"]
    form_class = ScopeForm
    add_title = "Restrict trading"
    add = staticmethod(_restrict_scope)

    @admin.action(description="Ask to enable", permissions=["manage"])
    def ask_to_enable(
        self, request: HttpRequest, chosen: QuerySet[TradingState]
    ) -> HttpResponse | None:
        return ASK.run(self, request, chosen)


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnlyAdmin):
    list_display = ["id", "scope", "wanted", "reason", "asked_by", "asked_at", "status"]
    list_filter = ["status"]
    list_select_related = ["asked_by"]
    search_fields = ["scope", "asked_by__username"]
    ordering = ["-pk"]
    actions = ["approve", "reject"]

    @admin.action(description="Approve", permissions=["manage"])
    def approve(self, request: HttpRequest, chosen: QuerySet[ChangeRequest]) -> HttpResponse | None:
        return APPROVE.run(self, request, chosen)

    @admin.action(description="Reject", permissions=["manage"])
    def reject(self, request: HttpRequest, chosen: QuerySet[ChangeRequest]) -> HttpResponse | None:
        return REJECT.run(self, request, chosen)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.MANAGE_TRADING_STATES)


@admin.register(ScheduledSwitch)
class ScheduledSwitchAdmin(ManagedAdmin):
    list_display = ["scope", "state", "due_at", "reason", "created_by", "done_at", "outcome"]
    list_select_related = ["created_by"]
    search_fields = ["scope"]
    ordering = ["-due_at", "-pk"]
    form_class = ScheduleForm
    add_title = "Schedule a switch"
    add = staticmethod(_schedule)


@admin.register(Desk)
class DeskAdmin(ManagedAdmin):
    list_display = ["name"]
    search_fields = ["name"]
    ordering = ["name"]
    form_class = DeskForm
    add_title = "Make a desk"
    add = staticmethod(_make_desk)
