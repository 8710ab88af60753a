"""The desk's page of limits: the tree with what each limit comes to, and the forms to set one, to
ask for a higher one and to decide what others asked for. It works without scripts.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.selectors import may_trade
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.request_context import origin_of
from orders.domain.built_in_limits import BUILT_IN
from orders.forms import DecisionForm, LimitForm, ReasonForm
from orders.selectors.limits import limit_tree, scope_choices, scope_names
from orders.services import change_requests, limits, trading_states
from orders.services.limits import Wanted, usage_now
from orders.templatetags.limit_format import limit_value, limit_word
from orders.views.answers import unreadable, viewer_of
from portfolio.selectors import accounts_visible_to
from risk.domain.limit_tree import LimitKey, LimitKind
from risk.domain.limit_words import WORDS
from risk.domain.reasons import DenialReason
from risk.domain.recommended import RECOMMENDED
from risk.models import ChangeRequest
from risk.selectors import change_requests_for, limits_for, may_manage_trading


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The limits that bind the viewer's orders; every limit for who manages risk."""
    return _page(request, LimitForm(viewer=viewer_of(request)))


def _page(request: HttpRequest, form: LimitForm, status: int = 200) -> HttpResponse:
    viewer = viewer_of(request)
    manages = may_manage_trading(viewer)
    bound = list(limits_for(viewer))
    used = usage_now() if bound else {}
    own = [] if manages else list(accounts_visible_to(viewer).values_list("pk", flat=True))
    may_set = manages or may_trade(viewer)
    context = {
        "scopes": limit_tree(bound, used or {}, own) if bound or own else [],
        "is_stale": used is None,
        "requests": _requests(viewer),
        "form": form,
        "words": list(WORDS.values()),
        "built_in": BUILT_IN,
        "recommended": _recommended() if manages else [],
        "scope_choices": scope_choices(viewer) if may_set else [],
        "may_set": may_set,
        "may_decide": manages,
    }
    return render(request, "orders/limits.html", context, status=status)


def _recommended() -> list[dict[str, object]]:
    """The set that an operator may choose; nothing once the firm has all of it."""
    missing = limits.recommended_missing()
    if not missing:
        return []
    return [
        {"kind": kind.value, "wanted": wanted, "is_missing": kind in missing}
        for kind, wanted in RECOMMENDED.items()
    ]


def _requests(viewer: User) -> list[dict[str, object]]:
    pending = change_requests_for(viewer).exclude(limit_kind="")
    rows = list(pending.select_related("asked_by", "instrument"))
    names = scope_names({row.scope for row in rows})
    return [
        {
            "id": row.pk,
            "scope": names[row.scope],
            "wanted": _wanted(row),
            "reason": row.reason,
            "asked_by": row.asked_by.username,
            "expires_at": row.expires_at,
            "is_own": row.asked_by_id == viewer.pk,
        }
        for row in rows
    ]


def _wanted(row: ChangeRequest) -> str:
    symbol = f" {row.instrument.symbol}" if row.instrument else ""
    value = _("none") if row.value is None else limit_value(row.value, row.limit_kind)
    return f"{limit_word(row.limit_kind)}{symbol}: {value}"


@require_POST
@login_required
def change(request: HttpRequest) -> HttpResponse:
    """Sets the limit that the form names, or, where it lets more through, asks for it."""
    viewer = viewer_of(request)
    form = LimitForm(request.POST, viewer=viewer)
    if not form.is_valid():
        return _page(request, form, status=422)
    values = form.cleaned_data
    instrument = values["symbol"]
    try:
        scope = trading_states.scope_of(values["scope"], viewer)
        key = LimitKey(scope, LimitKind(values["kind"]), instrument.pk if instrument else 0)
        wanted = Wanted(values["value"], values["window_seconds"] or 0)
        messages.success(request, _change(request, key, wanted, values["reason"]))
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return _page(request, form, status=refusal.status)
    return redirect("orders:limits")


def _change(request: HttpRequest, key: LimitKey, wanted: Wanted, reason: str) -> str:
    actor, origin = viewer_of(request), origin_of(request, SystemClock().now())
    try:
        limits.set_limit(key=key, wanted=wanted, reason=reason, actor=actor, origin=origin)
    except Refusal as refusal:
        if refusal.reason is not DenialReason.FOUR_EYES_REQUIRED:
            raise
    else:
        return _("The limit is in force.")
    limits.ask_for_raise(key=key, wanted=wanted, reason=reason, actor=actor, origin=origin)
    return _("That lets more through, so it was asked for. Somebody else has to approve it.")


@require_POST
@login_required
def decide(request: HttpRequest, request_id: int) -> HttpResponse:
    """Approves or rejects what somebody asked for."""
    asked = ChangeRequest.objects.exclude(limit_kind="").filter(pk=request_id).first()
    viewer = viewer_of(request)
    if asked is None or not may_manage_trading(viewer):
        raise Http404
    form = DecisionForm(request.POST)
    origin = origin_of(request, SystemClock().now())
    try:
        if not form.is_valid():
            raise unreadable(form)
        if form.cleaned_data["decision"] == "approve":
            change_requests.approve(request=asked, actor=viewer, origin=origin)
            messages.success(request, _("Approved: it is in force."))
        else:
            reason = form.cleaned_data["reason"] or _("Rejected on the limits page")
            change_requests.reject(request=asked, reason=reason, actor=viewer, origin=origin)
            messages.success(request, _("Rejected."))
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect("orders:limits")


@require_POST
@login_required
def set_recommended(request: HttpRequest) -> HttpResponse:
    """Sets the recommended limits of the firm that are missing."""
    if not may_manage_trading(viewer_of(request)):
        raise PermissionDenied
    form = ReasonForm(request.POST)
    try:
        if not form.is_valid():
            raise unreadable(form)
        made = limits.set_recommended(
            reason=form.cleaned_data["reason"],
            actor=viewer_of(request),
            origin=origin_of(request, SystemClock().now()),
        )
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        words = ", ".join(limit_word(kind.value) for kind in made) or _("none was missing")
        messages.success(request, _("Set for the firm: %(words)s.") % {"words": words})
    return redirect("orders:limits")
