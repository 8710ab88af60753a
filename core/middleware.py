"""Gives every page and API request its id and sends it back as X-Request-ID."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.request_context import begin_request


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = begin_request(request.headers.get("X-Request-ID"))
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
