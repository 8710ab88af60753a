"""Feeds and their instruments: operators see them, add them and change them, by the services.

A key can be set and removed, and is never shown: pages say only whether there is one.
"""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.domain import roles
from accounts.models import User
from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.encryption import EncryptionError
from core.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from core.request_context import origin_of
from marketdata.domain.plan import Credentials
from marketdata.feeds import FEEDS
from marketdata.models import Feed, FeedRoute
from marketdata.services import feeds as services
from marketdata.services.feeds import TAKES_EFFECT, Act


class OptionsField(forms.CharField):
    """The adapter's options as a JSON object; the service checks what they mean."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            initial="{}",
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
            help_text='Of the adapter, as JSON, such as {"feed": "iex"}; see docs/feed-adapters.md.'
            " Keys do not belong here.",
        )

    def clean(self, value: object) -> dict[str, Any]:  # Any: JSON of an operator
        try:
            options = json.loads(super().clean(value) or "{}")
        except ValueError as error:
            raise ValidationError("This must be JSON.") from error
        if not isinstance(options, dict):
            raise ValidationError("This must be a JSON object.")
        return options


class SecretField(forms.CharField):
    """Taken in, never given out: a form that comes back has it empty."""

    def __init__(self, *, is_required: bool = True) -> None:
        super().__init__(
            required=is_required,
            max_length=services.MAX_KEY_LENGTH,
            widget=UnfoldAdminPasswordWidget(
                render_value=False, attrs={"autocomplete": "new-password"}
            ),
        )


class NewFeedForm(forms.Form):
    name = forms.CharField(
        max_length=32,
        widget=UnfoldAdminTextInputWidget,
        help_text="Small letters, digits and hyphens; cannot be changed later.",
    )
    adapter = forms.ChoiceField(
        choices=[(name, name) for name in sorted(FEEDS)], widget=UnfoldAdminSelectWidget
    )
    options = OptionsField()
    reason = forms.CharField(min_length=5, max_length=500, widget=UnfoldAdminTextInputWidget)


class OptionsForm(ReasonForm):
    options = OptionsField()


class KeyForm(ReasonForm):
    key = SecretField()
    secret = SecretField()


class RouteForm(ReasonForm):
    symbol = forms.CharField(max_length=32, widget=UnfoldAdminTextInputWidget)
    rank = forms.IntegerField(
        min_value=1,
        max_value=services.MAX_RANK,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="1 is followed first; the others when it falls silent.",
    )
    symbol_there = forms.CharField(
        required=False,
        max_length=services.MAX_NAME_THERE,
        widget=UnfoldAdminTextInputWidget,
        label="Name there",
        help_text="What the feed calls it; empty: the same.",
    )


def _act_of(request: HttpRequest, reason: str, origin: Origin) -> Act:
    assert isinstance(request.user, User)  # the admin site lets nobody else in
    return Act(request.user, reason, origin)


def _enable(request: HttpRequest, feed: Feed, values: dict[str, Any], origin: Origin) -> str:
    act = _act_of(request, values["reason"], origin)
    changed = services.set_enabled(feed=feed, is_enabled=True, act=act)
    return f"enabled. {TAKES_EFFECT}" if changed else "was enabled already."


def _disable(request: HttpRequest, feed: Feed, values: dict[str, Any], origin: Origin) -> str:
    act = _act_of(request, values["reason"], origin)
    changed = services.set_enabled(feed=feed, is_enabled=False, act=act)
    return f"disabled. {TAKES_EFFECT}" if changed else "was disabled already."


def _options(request: HttpRequest, feed: Feed, values: dict[str, Any], origin: Origin) -> str:
    act = _act_of(request, values["reason"], origin)
    loses_key = services.change_options(feed=feed, options=values["options"], act=act)
    went = f" {services.KEY_WENT}" if loses_key else ""
    return f"has other options.{went} {TAKES_EFFECT}"


def _key(request: HttpRequest, feed: Feed, values: dict[str, Any], origin: Origin) -> str:
    credentials = Credentials(values["key"], values["secret"])
    try:
        services.set_key(
            feed=feed, credentials=credentials, act=_act_of(request, values["reason"], origin)
        )
    except EncryptionError as error:
        raise ValidationError(str(error)) from error
    return f"its key is set. {TAKES_EFFECT}"


def _no_key(request: HttpRequest, feed: Feed, values: dict[str, Any], origin: Origin) -> str:
    act = _act_of(request, values["reason"], origin)
    services.set_key(feed=feed, credentials=None, act=act)
    return f"its key is removed. {TAKES_EFFECT}"


def _route(request: HttpRequest, feed: Feed, values: dict[str, Any], origin: Origin) -> str:
    services.set_route(
        feed=feed,
        symbol=values["symbol"],
        rank=values["rank"],
        symbol_there=values["symbol_there"],
        act=_act_of(request, values["reason"], origin),
    )
    return f"{values['symbol']} follows it at rank {values['rank']}. {TAKES_EFFECT}"


def _unroute(request: HttpRequest, route: FeedRoute, values: dict[str, Any], origin: Origin) -> str:
    symbol, act = route.instrument.symbol, _act_of(request, values["reason"], origin)
    services.remove_route(feed=route.feed, symbol=symbol, act=act)
    return f"{symbol} follows {route.feed.name} no more. {TAKES_EFFECT}"


def _retire(request: HttpRequest, feed: Feed, values: dict[str, Any], origin: Origin) -> str:
    services.retire_feed(feed=feed, act=_act_of(request, values["reason"], origin))
    return f"is out of use. {TAKES_EFFECT}"


ENABLE = ConfirmedAction("enable", "Let the feed process run these feeds?", "Enable", _enable)
DISABLE = ConfirmedAction(
    "disable",
    "Let the feed process leave these feeds out? Instruments without another feed get no prices.",
    "Disable",
    _disable,
)
OPTIONS = ConfirmedAction(
    "change_options",
    "Put these options in the place of all that these feeds have?",
    "Change options",
    _options,
    OptionsForm,
)
KEY = ConfirmedAction(
    "set_key", "Give these feeds this key? It is never shown again.", "Set the key", _key, KeyForm
)
NO_KEY = ConfirmedAction("remove_key", "Remove the keys of these feeds?", "Remove the key", _no_key)
ROUTE = ConfirmedAction(
    "add_route",
    "Let an instrument take its prices from these feeds?",
    "Let it follow",
    _route,
    RouteForm,
)
RETIRE = ConfirmedAction(
    "retire",
    "Take these feeds out of use? Their keys and instruments are removed; their names stay, because"
    " stored prices have them.",
    "Take out of use",
    _retire,
)
UNROUTE = ConfirmedAction(
    "remove_route",
    "Let these instruments no longer follow these feeds?",
    "Remove",
    _unroute,
    name_of=lambda route: f"{route.instrument.symbol} from {route.feed.name}, rank {route.rank}",
)


class _ManagedAdmin(ReadOnlyAdmin):
    """Actions on feeds ask for one permission."""

    def has_manage_feeds_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.MANAGE_FEEDS)


class RouteInline(ReadOnlyInline):
    model = FeedRoute
    fields = ("instrument", "rank", "symbol_there")
    readonly_fields = fields
    show_change_link = False


@admin.register(Feed)
class FeedAdmin(_ManagedAdmin):
    list_display = ["name", "adapter", "is_enabled", "has_key", "instruments"]
    list_filter = ["adapter", "is_enabled"]
    search_fields = ["name"]
    fields = ["name", "adapter", "options", "is_enabled", "has_key"]
    readonly_fields = ["has_key"]
    ordering = ["name"]
    inlines = [RouteInline]
    actions = [
        "enable", "disable", "change_options", "set_key", "remove_key", "add_route", "retire"
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feed]:
        feeds: QuerySet[Feed] = super().get_queryset(request)
        return feeds.annotate(instrument_count=Count("routes"))

    @admin.display(description="key", boolean=True)
    def has_key(self, feed: Feed) -> bool:
        return feed.credentials is not None

    @admin.display(description="instruments")
    def instruments(self, feed: Feed) -> int:
        count: int = getattr(feed, "instrument_count", 0)
        return count

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_manage_feeds_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a feed; its key and instruments are set on its row."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewFeedForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            try:
                services.add_feed(
                    name=values["name"],
                    adapter=values["adapter"],
                    options=values["options"],
                    act=_act_of(request, values["reason"], origin_of(request, SystemClock().now())),
                )
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                self.message_user(request, f"{values['name']} was added. {TAKES_EFFECT}")
                return HttpResponseRedirect(reverse("admin:marketdata_feed_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Add a feed",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "marketdata/console_new_feed.html", context)

    @admin.action(description="Enable", permissions=["manage_feeds"])
    def enable(self, request: HttpRequest, feeds: QuerySet[Feed]) -> HttpResponse | None:
        return ENABLE.run(self, request, feeds)

    @admin.action(description="Disable", permissions=["manage_feeds"])
    def disable(self, request: HttpRequest, feeds: QuerySet[Feed]) -> HttpResponse | None:
        return DISABLE.run(self, request, feeds)

    @admin.action(description="Change options", permissions=["manage_feeds"])
    def change_options(self, request: HttpRequest, feeds: QuerySet[Feed]) -> HttpResponse | None:
        return OPTIONS.run(self, request, feeds)

    @admin.action(description="Set the key", permissions=["manage_feeds"])
    def set_key(self, request: HttpRequest, feeds: QuerySet[Feed]) -> HttpResponse | None:
        return KEY.run(self, request, feeds)

    @admin.action(description="Remove the key", permissions=["manage_feeds"])
    def remove_key(self, request: HttpRequest, feeds: QuerySet[Feed]) -> HttpResponse | None:
        return NO_KEY.run(self, request, feeds)

    @admin.action(description="Let an instrument follow", permissions=["manage_feeds"])
    def add_route(self, request: HttpRequest, feeds: QuerySet[Feed]) -> HttpResponse | None:
        return ROUTE.run(self, request, feeds)

    @admin.action(description="Take out of use", permissions=["manage_feeds"])
    def retire(self, request: HttpRequest, feeds: QuerySet[Feed]) -> HttpResponse | None:
        return RETIRE.run(self, request, feeds)


@admin.register(FeedRoute)
class FeedRouteAdmin(_ManagedAdmin):
    list_display = ["instrument", "rank", "feed", "symbol_there"]
    list_filter = ["feed"]
    list_select_related = ["instrument", "feed"]
    search_fields = ["instrument__symbol", "feed__name"]
    ordering = ["instrument__symbol", "rank", "pk"]
    actions = ["remove_route"]

    @admin.action(description="Remove", permissions=["manage_feeds"])
    def remove_route(
        self, request: HttpRequest, routes: QuerySet[FeedRoute]
    ) -> HttpResponse | None:
        return UNROUTE.run(self, request, routes)
