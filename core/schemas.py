"""What every operation of the OpenAPI page has in common: the shape of a refusal, rate headers."""

from typing import Any, Final

from rest_framework import serializers

HEADERS: Final = {
    "X-RateLimit-Limit": "requests that the key may make in a minute",
    "X-RateLimit-Remaining": "how many of them are left at once",
    "X-RateLimit-Reset": "when all of them are there again, seconds since 1970",
    "RateLimit-Policy": "the same, as the IETF's draft writes it",
    "RateLimit": "what is left and for how long, as the IETF's draft writes it",
    "X-Request-ID": "the request's own, or the one it was given; logs have it",
}
RETRY_AFTER: Final = {"Retry-After": "with 429: seconds to wait"}


class ErrorSerializer(serializers.Serializer[object]):
    """`code` and `message` are the dialect's; `type` to `detail` RFC 9457's. Facts that stock
    clients know stand at the top level as well.
    """

    code = serializers.IntegerField(help_text="of the dialect: 40310000, 42210000")
    message = serializers.CharField()
    reason = serializers.CharField(help_text="one of docs/reason-codes.md")
    facts = serializers.DictField()
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    request_id = serializers.CharField()


def add_refusals(
    result: dict[str, Any], generator: object, request: object, public: bool
) -> dict[str, Any]:  # Any: OpenAPI as JSON
    """A hook of drf-spectacular: every operation may be refused, and tells the key's budget."""
    for item in result["paths"].values():
        for operation in item.values():
            for answer in operation["responses"].values():
                answer["headers"] = _headers(HEADERS)
            operation["responses"]["default"] = {
                "description": "Refused: nothing has changed, unless reason is UNKNOWN_OUTCOME.",
                "headers": _headers(HEADERS | RETRY_AFTER),
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }
    return result


def _headers(words: dict[str, str]) -> dict[str, object]:
    return {
        name: {"description": text, "schema": {"type": "string"}} for name, text in words.items()
    }
