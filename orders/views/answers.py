"""How every trading view begins and ends: whose account it works on, and how a refusal is shown.

A refusal is never hidden: a script gets the one error shape, a person a message on the page.
"""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from accounts.models import User
from accounts.selectors import may_trade
from core.api import refusal_body, wants_json
from core.domain.errors import CODE_NOT_PERMITTED, CODE_UNPROCESSABLE, ErrorReason, Refusal
from orders.selectors import order_visible_to
from portfolio.selectors import default_account

View = Callable[..., HttpResponse]


def for_account(view: View) -> View:
    """Gives `view` the viewer's trading account; turns a Refusal that it raises into an answer."""

    @login_required
    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        account = default_account(viewer_of(request))
        if account is None:
            return render(request, "orders/no_account.html")
        try:
            return view(request, account, *args, **kwargs)
        except Refusal as refusal:
            return refused(request, refusal)

    return answer


def for_own_order(view: View) -> View:
    """Gives `view` the order that the address names, if it is of an account that the viewer owns or
    shares: else there is no such page. Turns a Refusal that it raises into an answer.
    """

    @login_required
    @wraps(view)
    def answer(request: HttpRequest, order_id: UUID) -> HttpResponse:
        order = order_visible_to(viewer_of(request), order_id)
        if order is None:
            raise Http404
        try:
            return view(request, order)
        except Refusal as refusal:
            return refused(request, refusal)

    return answer


def viewer_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required let it pass
    return request.user


def require_trader(request: HttpRequest) -> None:
    """Refusal unless the viewer's roles let them trade."""
    if not may_trade(request.user):
        raise Refusal(
            status=403,
            code=CODE_NOT_PERMITTED,
            reason=ErrorReason.NOT_PERMITTED,
            message="Your role lets you watch this account, not trade on it.",
        )


def unreadable(form: Form) -> Refusal:
    """What a form could not read, naming the first field and all of them in the facts."""
    fields = {name: [str(text) for text in texts] for name, texts in form.errors.items()}
    name, texts = next(iter(fields.items()))
    return Refusal(
        status=422,
        code=CODE_UNPROCESSABLE,
        reason=ErrorReason.FIELD_INVALID,
        message=texts[0] if name == "__all__" else f"{name}: {texts[0]}",
        facts={"fields": fields},
    )


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """JSON with the refusal's own status; a person is led back, with its sentence on top."""
    if wants_json(request) or request.method == "GET":
        return JsonResponse(refusal_body(refusal), status=refusal.status)
    messages.error(request, refusal.message)
    return back(request)


def back(request: HttpRequest) -> HttpResponse:
    """To the page that the form names in `next`, when it is one of ours."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return redirect(target if is_ours else "orders:terminal")


def terminal_address(symbol: str) -> str:
    return f"{reverse('orders:terminal')}?{urlencode({'symbol': symbol})}"
