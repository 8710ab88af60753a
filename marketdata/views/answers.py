"""How every page of market data begins and ends: who looks, and how a refusal is shown."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from accounts.models import User
from core.api import refusal_body, wants_json
from core.domain.errors import Refusal

View = Callable[..., HttpResponse]


def viewer_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required let it pass
    return request.user


def for_viewer(view: View) -> View:
    """Asks for a session, and turns a Refusal that `view` raises into an answer: JSON with its own
    status, or its sentence on top of the page that the form came from.
    """

    @login_required
    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            if wants_json(request) or request.method == "GET":
                return JsonResponse(refusal_body(refusal), status=refusal.status)
            messages.error(request, refusal.message)
            if "watchlist_id" in kwargs and refusal.status != 404:
                return redirect("marketdata:watchlist", kwargs["watchlist_id"])
            return redirect("marketdata:watchlists")

    return answer
