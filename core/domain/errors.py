"""What a refusal carries everywhere: a closed reason code, the facts that caused it and a sentence
for people.

Raised by services and the API rims for broken requests; the engine returns the same three parts as
a result.
"""

from collections.abc import Mapping
from enum import StrEnum


class ErrorReason(StrEnum):
    """Reasons that any part of the portal may give; each app adds its own closed enum."""

    REQUEST_MALFORMED = "REQUEST_MALFORMED"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    FIELD_INVALID = "FIELD_INVALID"
    FIELD_UNKNOWN = "FIELD_UNKNOWN"
    FIELD_MISSING = "FIELD_MISSING"
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    NOT_PERMITTED = "NOT_PERMITTED"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    RATE_LIMITED = "RATE_LIMITED"
    CONFLICT = "CONFLICT"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class Refusal(Exception):
    """A request that is turned down: HTTP status, dialect code, reason, facts and a sentence.

    `code` is the Alpaca dialect's number (status × 100000 + n); `reason` is our closed code.
    """

    def __init__(
        self,
        *,
        status: int,
        code: int,
        reason: StrEnum,
        message: str,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason
        self.message = message
        self.facts = dict(facts or {})
