"""The kill switch and the request to enable again, as the trading pages send them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.api import wants_json
from core.domain.clock import SystemClock
from core.request_context import origin_of
from orders.forms import SwitchForm
from orders.services import trading_states
from orders.views.answers import back, for_account, unreadable, viewer_of
from portfolio.models import TradingAccount
from risk.domain.states import TradingState


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
