"""How DRF learns who calls: API keys, their scopes and their request budget. Sessions do not open
the API.
"""

from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.domain.api_keys import KeyPair, Principal, Scope, read_key_pair
from accounts.models import User
from accounts.services import resolve_key, spend_request
from core.api import rate_limited
from core.domain.clock import SystemClock


def key_pair_of(request: HttpRequest) -> KeyPair | None:
    """The key pair that the request's headers carry, in either form."""
    return read_key_pair(
        key_id=request.headers.get("APCA-API-KEY-ID"),
        secret=request.headers.get("APCA-API-SECRET-KEY"),
        authorization=request.headers.get("Authorization"),
    )


class ApiKeyAuthentication(BaseAuthentication):
    """request.auth is the Principal; request.user its User, whose other columns load only when
    read.

    Every authenticated request is counted; the RateLimitHeaders middleware shows the count on the
    answer.
    """

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        pair = key_pair_of(request)
        if pair is None:
            if any(
                name in request.headers
                for name in ("APCA-API-KEY-ID", "APCA-API-SECRET-KEY", "Authorization")
            ):
                raise AuthenticationFailed
            return None
        principal = resolve_key(pair.key_id, pair.secret)
        if principal is None:
            raise AuthenticationFailed
        _spend(request, principal, 1)
        return user_of(principal), principal

    def authenticate_header(self, request: Request) -> str:
        return "APCA"


def spend_batch(request: Request, size: int) -> None:
    """Count the rest of a batch: it costs one request for each thing that it asks for."""
    assert isinstance(request.auth, Principal)  # the request was authenticated, and counted as one
    if size > 1:
        _spend(request, request.auth, size - 1)


def _spend(request: Request, principal: Principal, cost: int) -> None:
    """Refusal 429 beyond the key's budget; either way the answer's headers tell what is left."""
    decision = spend_request(principal, cost)
    headers = decision.headers(SystemClock().now_ns())
    request._request.rate_limit_headers = headers  # type: ignore[attr-defined]
    if not decision.is_allowed:
        raise rate_limited()


def user_of(principal: Principal) -> User:
    """The principal's User without a query: the columns that are not known yet load when they are
    read.
    """
    user = User.from_db(
        None, ["id", "username", "is_active"], [principal.user_id, principal.username, True]
    )
    user.role_names = principal.roles
    return user


class HasScope(BasePermission):
    """`permission_classes = [HasScope("trade")]`: the key lists the scope, or one of them, and its
    owner's roles allow it.
    """

    def __init__(self, *scopes: str) -> None:
        self.scopes = frozenset(Scope(scope) for scope in scopes)

    def __call__(self) -> "HasScope":
        """DRF calls what stands in permission_classes; this is already the permission."""
        return self

    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.auth, Principal) and bool(self.scopes & request.auth.scopes)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # no types
    """How the OpenAPI page says that keys are sent."""

    target_class = ApiKeyAuthentication
    name = ["keyId", "keySecret"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        return [
            {"type": "apiKey", "in": "header", "name": "APCA-API-KEY-ID"},
            {"type": "apiKey", "in": "header", "name": "APCA-API-SECRET-KEY"},
        ]
