"""How the REST API reads requests and says no: the strict JSON parser and the one error shape.

The body serves two readers at once: `code` and `message` for the Alpaca dialect, the members of RFC
9457 for others.
"""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from rest_framework import exceptions
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from core.domain import strict_json
from core.domain.errors import ErrorReason, Refusal
from core.request_context import current_request_id

API_PATHS = ("/v2/", "/v1beta3/", "/api/")
CODE_MALFORMED = 40010001
CODE_NOT_AUTHENTICATED = 40110000
CODE_NOT_PERMITTED = 40310000
CODE_NOT_FOUND = 40410000
CODE_METHOD = 40510000
CODE_UNPROCESSABLE = 42210000
CODE_RATE_LIMITED = 42910000
CODE_INTERNAL = 50010000
CODE_UNAVAILABLE = 50310000


class StrictJsonParser(BaseParser):
    """request.data from JSON with exact numbers; anything doubtful is a 400 that says why."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> Any:  # Any: DRF's types
        try:
            return strict_json.loads(stream.read(strict_json.MAX_BODY_BYTES + 1))
        except strict_json.StrictJsonError as error:
            raise Refusal(
                status=400,
                code=CODE_MALFORMED,
                reason=ErrorReason.REQUEST_MALFORMED,
                message=f"The request cannot be read: {error}.",
            ) from error


def error_body(
    *,
    status: int,
    code: int,
    reason: StrEnum,
    message: str,
    facts: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The one shape of every refusal, for pages, API and the hot order route alike."""
    facts = dict(facts or {})
    return {
        # Known dialect facts stand at the top level too, where stock clients look for them.
        **{
            key: value
            for key, value in facts.items()
            if key not in {"status", "type", "title", "detail"}
        },
        "code": code,
        "message": message,
        "reason": str(reason),
        "facts": facts,
        "type": f"urn:tradeportal:reason:{str(reason).lower().replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "request_id": current_request_id(),
    }


def refusal_body(refusal: Refusal) -> dict[str, object]:
    return error_body(
        status=refusal.status,
        code=refusal.code,
        reason=refusal.reason,
        message=refusal.message,
        facts=refusal.facts,
    )


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks (our own pages' scripts included) rather than somebody opening a page.
    """
    if request.path.startswith(API_PATHS):
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def rate_limited() -> Refusal:
    """The refusal of a request beyond its key's budget; the rate headers say when to come back."""
    return Refusal(
        status=429,
        code=CODE_RATE_LIMITED,
        reason=ErrorReason.RATE_LIMITED,
        message="Too many requests; wait and retry.",
    )


def not_authenticated() -> Refusal:
    """The refusal of a request without a live key; it never says which part was wrong."""
    return Refusal(
        status=401,
        code=CODE_NOT_AUTHENTICATED,
        reason=ErrorReason.NOT_AUTHENTICATED,
        message="Send a valid API key id and secret.",
    )


def _as_refusal(error: Exception) -> Refusal | None:
    """The refusal that a framework exception means, or None for one that we did not expect."""
    known: list[tuple[type[Exception], int, int, ErrorReason, str]] = [
        (
            Http404,
            404,
            CODE_NOT_FOUND,
            ErrorReason.NOT_FOUND,
            "There is nothing here by that name.",
        ),
        (
            exceptions.NotFound,
            404,
            CODE_NOT_FOUND,
            ErrorReason.NOT_FOUND,
            "There is nothing here by that name.",
        ),
        (
            exceptions.NotAuthenticated,
            401,
            CODE_NOT_AUTHENTICATED,
            ErrorReason.NOT_AUTHENTICATED,
            "Send a valid API key id and secret.",
        ),
        (
            exceptions.AuthenticationFailed,
            401,
            CODE_NOT_AUTHENTICATED,
            ErrorReason.NOT_AUTHENTICATED,
            "Send a valid API key id and secret.",
        ),
        (
            exceptions.PermissionDenied,
            403,
            CODE_NOT_PERMITTED,
            ErrorReason.NOT_PERMITTED,
            "This key may not do that.",
        ),
        (
            PermissionDenied,
            403,
            CODE_NOT_PERMITTED,
            ErrorReason.NOT_PERMITTED,
            "This key may not do that.",
        ),
        (
            exceptions.MethodNotAllowed,
            405,
            CODE_METHOD,
            ErrorReason.METHOD_NOT_ALLOWED,
            "This address does not take that method.",
        ),
        (
            exceptions.UnsupportedMediaType,
            415,
            41510000,
            ErrorReason.REQUEST_MALFORMED,
            "Send the body as application/json.",
        ),
        (
            exceptions.Throttled,
            429,
            CODE_RATE_LIMITED,
            ErrorReason.RATE_LIMITED,
            "Too many requests; wait and retry.",
        ),
        (
            exceptions.ParseError,
            400,
            CODE_MALFORMED,
            ErrorReason.REQUEST_MALFORMED,
            "The request cannot be read.",
        ),
        (
            exceptions.ValidationError,
            422,
            CODE_UNPROCESSABLE,
            ErrorReason.FIELD_INVALID,
            "A field of the request is not valid.",
        ),
    ]
    for kind, status, code, reason, message in known:
        if isinstance(error, kind):
            facts = (
                {"fields": error.detail} if isinstance(error, exceptions.ValidationError) else {}
            )
            return Refusal(status=status, code=code, reason=reason, message=message, facts=facts)
    return None


def exception_handler(
    error: Exception, context: Mapping[str, Any]
) -> Response | None:  # Any: DRF's context
    """DRF's exception hook: refusals in the one shape; None lets an unexpected error become a
    logged 500.
    """
    refusal = error if isinstance(error, Refusal) else _as_refusal(error)
    if refusal is None:
        return None
    response = Response(refusal_body(refusal), status=refusal.status)
    wait = getattr(error, "wait", None)
    if wait is not None:
        response["Retry-After"] = str(int(wait) + 1)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "APCA"
    return response
