"""What is shown when a request fails outside of any view: a page for people, the one error shape
for programs, both with the request's id. Named as handlers in `tradeportal.urls`.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from core.api import error_body, wants_json
from core.domain.errors import (
    CODE_INTERNAL,
    CODE_MALFORMED,
    CODE_NOT_FOUND,
    CODE_NOT_PERMITTED,
    ErrorReason,
)
from core.request_context import current_request_id

_ANSWERS = {
    400: (CODE_MALFORMED, ErrorReason.REQUEST_MALFORMED, "The request cannot be read."),
    403: (CODE_NOT_PERMITTED, ErrorReason.NOT_PERMITTED, "You may not do that."),
    404: (CODE_NOT_FOUND, ErrorReason.NOT_FOUND, "There is nothing here by that name."),
    500: (CODE_INTERNAL, ErrorReason.INTERNAL, "The portal failed; the fault is recorded."),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from another session, or an old one: its own page says what to do."""
    return _answer(request, 403, "403_csrf.html")


def _answer(request: HttpRequest, status: int, template: str | None = None) -> HttpResponse:
    code, reason, message = _ANSWERS[status]
    if wants_json(request):
        body = error_body(status=status, code=code, reason=reason, message=message)
        return JsonResponse(body, status=status)
    context = {"request_id": current_request_id()}
    return render(request, template or f"{status}.html", context, status=status)
