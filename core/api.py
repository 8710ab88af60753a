"""How the REST API reads requests and says no: the strict JSON parser and the one error shape.

The body serves two readers at once: `code` and `message` for the Alpaca dialect, the members of RFC
9457 for others.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.domain import strict_json
from core.domain.errors import (
    CODE_MALFORMED,
    CODE_MEDIA_TYPE,
    CODE_METHOD,
    CODE_NOT_AUTHENTICATED,
    CODE_NOT_FOUND,
    CODE_NOT_PERMITTED,
    CODE_RATE_LIMITED,
    CODE_TOO_LARGE,
    CODE_UNPROCESSABLE,
    ErrorReason,
    Refusal,
)
from core.request_context import current_request_id

API_PATHS = ("/v2/", "/v1beta3/", "/api/")

NO_SUCH_THING = "There is nothing here by that name."
NOT_ALLOWED = "You may not do that here."


class StrictJsonParser(BaseParser):
    """request.data from JSON with exact numbers; anything doubtful is a 4xx that says why."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:  # Any: DRF's types
        return read_json_object(stream.read(strict_json.MAX_BODY_BYTES + 1))


def read_json_object(body: bytes) -> dict[str, Any]:  # Any: JSON values
    """The JSON object in a request body; a Refusal of 400, 413 or 422 otherwise."""
    try:
        value = strict_json.loads(body)
    except strict_json.BodyTooLargeError as error:
        raise _unreadable(413, CODE_TOO_LARGE, ErrorReason.REQUEST_TOO_LARGE, error) from error
    except strict_json.NumberRefusedError as error:
        raise _unreadable(422, CODE_UNPROCESSABLE, ErrorReason.FIELD_INVALID, error) from error
    except strict_json.StrictJsonError as error:
        raise _unreadable(400, CODE_MALFORMED, ErrorReason.REQUEST_MALFORMED, error) from error
    if not isinstance(value, dict):
        raise _unreadable(
            400, CODE_MALFORMED, ErrorReason.REQUEST_MALFORMED, "the body is not a JSON object"
        )
    return value


def read_query(query: QueryDict) -> dict[str, str]:
    """The parameters of an address, each once: readers disagree which of two would count."""
    for name, values in query.lists():
        if len(values) > 1:
            raise _unreadable(
                400,
                CODE_MALFORMED,
                ErrorReason.REQUEST_MALFORMED,
                f"the parameter {name[:64]!r} stands twice",
            )
        if "\0" in name or "\0" in values[0]:
            raise _unreadable(
                400, CODE_MALFORMED, ErrorReason.REQUEST_MALFORMED, "a parameter holds NUL"
            )
    return {name: str(values[0]) for name, values in query.lists()}


def refuse_unknown_fields(data: Mapping[str, object], known: Collection[str]) -> None:
    """A Refusal that names the fields nobody knows: a typo, or somebody trying `is_staff`."""
    unknown = sorted(name[:64] for name in data if name not in known)
    if unknown:
        raise Refusal(
            status=400,
            code=CODE_MALFORMED,
            reason=ErrorReason.FIELD_UNKNOWN,
            message=f"Unknown field: {', '.join(unknown[:10])}.",
            facts={"fields": unknown[:10]},
        )


def _unreadable(status: int, code: int, reason: ErrorReason, why: object) -> Refusal:
    return Refusal(
        status=status, code=code, reason=reason, message=f"The request cannot be read: {why}."
    )


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
    """Whether a program asks, a script of our pages included, rather than somebody's browser."""
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


def not_permitted() -> Refusal:
    """The refusal of a known caller whose key or role does not allow this."""
    return Refusal(
        status=403,
        code=CODE_NOT_PERMITTED,
        reason=ErrorReason.NOT_PERMITTED,
        message=NOT_ALLOWED,
    )


def not_found(message: str = NO_SUCH_THING) -> Refusal:
    """The refusal for what is not there, or is somebody else's: the caller cannot tell which."""
    return Refusal(status=404, code=CODE_NOT_FOUND, reason=ErrorReason.NOT_FOUND, message=message)


_MEANING: list[tuple[type[Exception], int, int, ErrorReason, str]] = [
    (Http404, 404, CODE_NOT_FOUND, ErrorReason.NOT_FOUND, NO_SUCH_THING),
    (exceptions.NotFound, 404, CODE_NOT_FOUND, ErrorReason.NOT_FOUND, NO_SUCH_THING),
    (PermissionDenied, 403, CODE_NOT_PERMITTED, ErrorReason.NOT_PERMITTED, NOT_ALLOWED),
    (exceptions.PermissionDenied, 403, CODE_NOT_PERMITTED, ErrorReason.NOT_PERMITTED, NOT_ALLOWED),
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
        CODE_MEDIA_TYPE,
        ErrorReason.REQUEST_MALFORMED,
        "Send the body as application/json.",
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


def _as_refusal(error: Exception) -> Refusal | None:
    """The refusal that a framework exception means, or None for one that we did not expect."""
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return not_authenticated()
    if isinstance(error, exceptions.Throttled):
        return rate_limited()
    for kind, status, code, reason, message in _MEANING:
        if isinstance(error, kind):
            facts = (
                {"fields": error.detail} if isinstance(error, exceptions.ValidationError) else {}
            )
            return Refusal(status=status, code=code, reason=reason, message=message, facts=facts)
    return None


class ForgivingNegotiation(DefaultContentNegotiation):
    """Answers in the view's first format when the Accept header asks for none that it has."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:  # Any: DRF's types
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except exceptions.NotAcceptable:
            return renderers[0], renderers[0].media_type


def exception_handler(
    error: Exception, context: Mapping[str, Any]
) -> Response | None:  # Any: DRF's context
    """DRF's exception hook: refusals in the one shape; None makes the unexpected a logged 500."""
    refusal = error if isinstance(error, Refusal) else _as_refusal(error)
    if refusal is None:
        return None
    response = Response(refusal_body(refusal), status=refusal.status)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "APCA"
    return response
