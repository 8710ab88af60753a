"""What a refusal carries everywhere: a closed reason code, the facts that caused it and a sentence
for people.

Raised by services and the API rims for broken requests; the engine returns the same three parts as
a result.
"""

from collections.abc import Mapping
from enum import StrEnum

# The dialect's numbers: HTTP status × 100000 + n.
CODE_MALFORMED = 40010001
CODE_NOT_AUTHENTICATED = 40110000
CODE_NOT_PERMITTED = 40110000  # with 403; to stock clients 403xxxxx says that funds are short
CODE_NOT_FOUND = 40410000
CODE_METHOD = 40510000
CODE_CONFLICT = 40910000
CODE_TOO_LARGE = 41310000
CODE_MEDIA_TYPE = 41510000
CODE_UNPROCESSABLE = 42210000
CODE_RATE_LIMITED = 42910000
CODE_INTERNAL = 50010000
CODE_UNAVAILABLE = 50310000


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
