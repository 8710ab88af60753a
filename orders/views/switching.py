"""The kill switch and the request to enable again, as the trading pages send them."""

from datetime import datetime

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from core.api import wants_json
from core.domain.clock import SystemClock
from core.request_context import origin_of
from orders.forms import SwitchForm
from orders.selectors.switches import restrictions_shown, switches_for
from orders.services import trading_states
from orders.templatetags.trading_format import trading_meaning, trading_word
from orders.views.answers import back, for_account, unreadable, viewer_of
from portfolio.models import TradingAccount
from risk.domain.states import TradingState

Shown = dict[str, object]


@require_GET
@for_account
def switch(request: HttpRequest, account: TradingAccount) -> HttpResponse:
    """What may be halted and what is. JSON: `{"switches", "restrictions"}`."""
    viewer, now = viewer_of(request), SystemClock().now()
    shown = {
        "switches": msgspec.to_builtins(switches_for(viewer, account)),
        "restrictions": restrictions(viewer, account, now),
    }
    if wants_json(request):
        return JsonResponse(shown)
    return render(request, "orders/switch.html", {**shown, "next": request.GET.get("next", "")})


def restrictions(viewer: User, account: TradingAccount, now: datetime) -> list[Shown]:
    """What binds the account's orders now, with the words of the terminal's banner."""
    return [
        {
            **msgspec.to_builtins(row),
            "word": trading_word(row.state),
            "meaning": trading_meaning(row.state),
        }
        for row in restrictions_shown(viewer, account, now)
    ]


@require_POST
@for_account
def kill(request: HttpRequest, account: TradingAccount) -> HttpResponse:
    """Halts the viewer's account, or the scope that the form names, and cancels its open orders.
    JSON: `{"state", "canceled"}`.
    """
    form = _form(request)
    made = trading_states.restrict(
        scope=trading_states.scope_of(form["scope"], viewer_of(request)),
        state=TradingState.HALTED,
        reason=form["reason"],
        actor=viewer_of(request),
        origin=origin_of(request, SystemClock().now()),
    )
    if wants_json(request):
        return JsonResponse({"state": made.state, "canceled": made.canceled})
    messages.success(request, _("Halted. Orders canceled: %(count)d.") % {"count": made.canceled})
    return back(request)


@require_POST
@for_account
def ask_to_enable(request: HttpRequest, account: TradingAccount) -> HttpResponse:
    """Asks that a scope may trade again. JSON: `{"id"}` of the request, 201."""
    form = _form(request)
    asked = trading_states.ask_to_enable(
        scope=trading_states.scope_of(form["scope"], viewer_of(request)),
        state=TradingState.ACTIVE,
        reason=form["reason"],
        actor=viewer_of(request),
        origin=origin_of(request, SystemClock().now()),
    )
    if wants_json(request):
        return JsonResponse({"id": asked.pk}, status=201)
    messages.success(request, _("Asked for. Somebody else has to approve it."))
    return back(request)


def _form(request: HttpRequest) -> dict[str, str]:
    form = SwitchForm(request.POST)
    if not form.is_valid():
        raise unreadable(form)
    return {"scope": form.cleaned_data["scope"] or "account", "reason": form.cleaned_data["reason"]}
