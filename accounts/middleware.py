"""Guards around every page and API answer that depend on who is asking."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode

from accounts.domain.reasons import AccountReason
from accounts.models import User
from accounts.selectors import needs_second_factor
from core.api import error_body, wants_json
from core.domain.errors import CODE_NOT_PERMITTED

NextHandler = Callable[[HttpRequest], HttpResponse]

OPEN_HALFWAY = {"accounts:sign-in", "accounts:sign-out", "accounts:otp"}
"""All that someone with a password but without the second factor can reach."""


class RequireVerifiedMiddleware:
    """Keeps a half-signed-in person out: who has a TOTP device passes it before any page opens."""

    def __init__(self, get_response: NextHandler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:  # Any: Django's signature
        user = request.user
        if not isinstance(user, User) or user.is_verified() or not needs_second_factor(user):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in OPEN_HALFWAY:
            return None
        if wants_json(request):
            return JsonResponse(
                error_body(
                    status=403,
                    code=CODE_NOT_PERMITTED,
                    reason=AccountReason.MFA_REQUIRED,
                    message="Enter the code of your authenticator app first.",
                ),
                status=403,
            )
        way_back = request.get_full_path() if request.method == "GET" else "/"
        return HttpResponseRedirect(f"{reverse('accounts:otp')}?{urlencode({'next': way_back})}")


class RateLimitHeadersMiddleware:
    """Shows a key's request budget on every answer to it, refusals included."""

    def __init__(self, get_response: NextHandler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            response[name] = value
        return response


class PrivateAnswersMiddleware:
    """What was made for a signed-in person or a key stays out of every cache, the browser's too."""

    def __init__(self, get_response: NextHandler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_personal = settings.SESSION_COOKIE_NAME in request.COOKIES or hasattr(
            request, "rate_limit_headers"
        )
        if is_personal and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response
