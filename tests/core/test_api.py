"""What the API makes of a request before a view decides: keys, budgets, bodies, refusals."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import HasScope
from accounts.domain.api_keys import Scope
from accounts.models import ApiKey, User
from accounts.services import create_api_key, revoke_api_key
from core.api import read_query, refuse_unknown_fields
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.domain.origin import Origin


class ThingsView(APIView):
    """Stands for any view of the API: reads need one scope, writes another."""

    def get_permissions(self) -> list[HasScope]:  # type: ignore[override]
        return [HasScope("read" if self.request.method == "GET" else "trade")]

    def get(self, request: Request) -> Response:
        read_query(request._request.GET)
        return Response({"user": request.user.pk, "name": str(request.user)})

    def post(self, request: Request) -> Response:
        refuse_unknown_fields(request.data, {"qty", "symbol"})
        return Response({"fields": sorted(request.data)})


urlpatterns = [path("v2/things", ThingsView.as_view())]
pytestmark = [pytest.mark.urls("tests.core.test_api"), pytest.mark.django_db]
MakeKey = Callable[..., dict[str, str]]


@pytest.fixture
def make_key() -> MakeKey:
    """The two headers of a new key."""

    def make(user: User, *scopes: str, limit: int = 200) -> dict[str, str]:
        key, secret = create_api_key(
            user=user,
            scopes=[Scope(scope) for scope in scopes or ("read", "trade")],
            rate_limit_per_minute=limit,
            origin=Origin(now=SystemClock().now()),
        )
        return {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret}

    return make


def basic(headers: dict[str, str]) -> dict[str, str]:
    pair = f"{headers['APCA-API-KEY-ID']}:{headers['APCA-API-SECRET-KEY']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def test_a_key_opens_the_api(client: Client, alice: User, make_key: MakeKey) -> None:
    headers = make_key(alice)

    assert client.get("/v2/things", headers=headers).json() == {"user": alice.pk, "name": "alice"}
    assert client.get("/v2/things", headers=basic(headers)).json()["user"] == alice.pk


def test_without_a_key_nothing_opens(client: Client, alice: User) -> None:
    response = client.get("/v2/things")

    assert (response.status_code, response["WWW-Authenticate"]) == (401, "APCA")
    body = response.json()
    assert (body["code"], body["reason"], body["status"]) == (40110000, "NOT_AUTHENTICATED", 401)
    assert body["type"] == "urn:tradeportal:reason:not-authenticated"
    assert body["request_id"] == response["X-Request-ID"]


def test_a_signed_in_session_is_no_key(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get("/v2/things").status_code == 401
    assert client.post("/v2/things", {"qty": "1"}, "application/json").status_code == 401


def test_a_password_is_no_key(client: Client, alice: User) -> None:
    pair = base64.b64encode(b"alice:correct horse battery staple").decode()

    response = client.get("/v2/things", headers={"Authorization": f"Basic {pair}"})

    assert response.status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"APCA-API-SECRET-KEY": "wrong"},
        {"APCA-API-KEY-ID": "PK000000000000000000"},
        {"APCA-API-KEY-ID": "' OR 1=1 --"},
        {"APCA-API-SECRET-KEY": ""},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic eDp5"},
    ],
)
def test_a_wrong_part_is_refused_without_saying_which(
    client: Client, alice: User, make_key: MakeKey, change: dict[str, str]
) -> None:
    response = client.get("/v2/things", headers={**make_key(alice), **change})

    assert response.status_code == 401
    assert response.json()["message"] == "Send a valid API key id and secret."


def test_a_revoked_key_is_refused(
    client: Client,
    alice: User,
    make_key: MakeKey,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    headers = make_key(alice)
    assert client.get("/v2/things", headers=headers).status_code == 200

    key = ApiKey.objects.get(key_id=headers["APCA-API-KEY-ID"])
    with django_capture_on_commit_callbacks(execute=True):
        revoke_api_key(key=key, reason="x", actor=None, origin=Origin(now=SystemClock().now()))

    assert client.get("/v2/things", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("role", "scopes", "read", "write"),
    [
        ("trader", ("read", "trade"), 200, 200),
        ("trader", ("read",), 200, 403),
        ("trader", ("trade",), 403, 200),
        ("admin", ("read", "trade"), 200, 200),
        ("analyst", ("read",), 200, 403),
        ("auditor", ("read",), 200, 403),
        ("support", ("read",), 200, 403),
        ("risk_manager", ("read",), 200, 403),
        ("operator", ("read",), 200, 403),
    ],
)
def test_scope_and_role_decide_together(
    client: Client,
    make_user: Callable[..., User],
    make_key: MakeKey,
    role: str,
    scopes: tuple[str, ...],
    read: int,
    write: int,
) -> None:
    headers = make_key(make_user("someone", role=role), *scopes)

    assert client.get("/v2/things", headers=headers).status_code == read
    response = client.post("/v2/things", {"qty": "1"}, "application/json", headers=headers)
    assert response.status_code == write


def test_a_refused_scope_has_the_one_shape(client: Client, alice: User, make_key: MakeKey) -> None:
    response = client.post(
        "/v2/things", {"qty": "1"}, "application/json", headers=make_key(alice, "read")
    )

    assert response.json()["code"] == 40110000
    assert response.json()["reason"] == "NOT_PERMITTED"


def test_every_answer_shows_the_budget(client: Client, alice: User, make_key: MakeKey) -> None:
    headers = make_key(alice, limit=3)

    statuses, remaining = [], []
    for _ in range(4):
        response = client.get("/v2/things", headers=headers)
        statuses.append(response.status_code)
        remaining.append(response["X-RateLimit-Remaining"])

    assert statuses == [200, 200, 200, 429]
    assert remaining == ["2", "1", "0", "0"]
    assert response.json()["code"] == 42910000
    assert response["X-RateLimit-Limit"] == "3"
    assert response["RateLimit-Policy"] == '"default";q=3;w=60'
    assert 1 <= int(response["Retry-After"]) <= 20


def test_the_budget_belongs_to_the_key_not_to_its_caller(
    client: Client, alice: User, make_key: MakeKey
) -> None:
    headers = make_key(alice, limit=1)
    client.get("/v2/things", headers=headers)

    response = client.get(
        "/v2/things", headers={**headers, "X-Forwarded-For": "1.2.3.4"}, REMOTE_ADDR="5.6.7.8"
    )

    assert response.status_code == 429
    assert client.get("/v2/things", headers=make_key(alice, limit=1)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"qty": "1", "qty": "2"}', 400, 40010001),
        (b'{"qty": "1"', 400, 40010001),
        (b"[]", 400, 40010001),
        (b"5", 400, 40010001),
        (b"null", 400, 40010001),
        (b"[" * 60_000, 400, 40010001),
        (b'{"symbol": "\\u0000"}', 400, 40010001),
        (b'{"symbol": "\\ud800"}', 400, 40010001),
        (b'{"qty": NaN}', 422, 42210000),
        (b'{"qty": 1e400}', 422, 42210000),
        (b'{"qty": 1e99999999999999999999}', 422, 42210000),
        (b'{"symbol": "' + b"x" * 65_536 + b'"}', 413, 41310000),
        (b'{"qty": "1", "is_staff": true}', 400, 40010001),
        (b'{"user": 1}', 400, 40010001),
        (b'{"account": 1, "status": "filled", "filled_qty": 5, "role": "admin"}', 400, 40010001),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else str(value),
)
def test_a_doubtful_body_is_refused_with_its_reason(
    client: Client, alice: User, make_key: MakeKey, body: bytes, status: int, code: int
) -> None:
    response = client.post(
        "/v2/things", body, content_type="application/json", headers=make_key(alice)
    )

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_unknown_fields_are_named(client: Client, alice: User, make_key: MakeKey) -> None:
    response = client.post(
        "/v2/things", {"qty": "1", "is_staff": True}, "application/json", headers=make_key(alice)
    )

    assert response.json()["reason"] == "FIELD_UNKNOWN"
    assert response.json()["fields"] == ["is_staff"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "a/b/c"],
)
def test_only_json_is_a_body(
    client: Client, alice: User, make_key: MakeKey, content_type: str
) -> None:
    response = client.post("/v2/things", b'{"qty":"1"}', content_type, headers=make_key(alice))

    assert response.status_code in {400, 415}


@pytest.mark.parametrize("accept", ["text/html", "image/png", "*/*", "nonsense", ""])
def test_any_accept_header_gets_json(
    client: Client, alice: User, make_key: MakeKey, accept: str
) -> None:
    response = client.get("/v2/things", headers={**make_key(alice), "Accept": accept})

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_other_methods_are_refused(
    client: Client, alice: User, make_key: MakeKey, method: str
) -> None:
    response = client.generic(method, "/v2/things", headers=make_key(alice))

    assert (response.status_code, response.json()["code"]) == (405, 40510000)


def test_a_method_override_header_is_ignored(
    client: Client, alice: User, make_key: MakeKey
) -> None:
    headers = {**make_key(alice, "read"), "X-HTTP-Method-Override": "POST"}

    assert client.get("/v2/things", headers=headers).json()["user"] == alice.pk


def test_a_parameter_that_stands_twice_is_refused(
    client: Client, alice: User, make_key: MakeKey
) -> None:
    response = client.get("/v2/things?limit=1&limit=2", headers=make_key(alice))

    assert (response.status_code, response.json()["reason"]) == (400, "REQUEST_MALFORMED")


def test_answers_to_keys_stay_out_of_caches(client: Client, alice: User, make_key: MakeKey) -> None:
    response = client.get("/v2/things", headers=make_key(alice))

    assert response["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in response


def test_no_origin_is_let_in_by_cors(client: Client, alice: User, make_key: MakeKey) -> None:
    for origin in ("https://evil.example", "null"):
        response = client.get("/v2/things", headers={**make_key(alice), "Origin": origin})
        assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize("query", ["a=%00", "%00=1"])
def test_nul_in_a_parameter_is_refused(query: str) -> None:
    with pytest.raises(Refusal):
        read_query(QueryDict(query))


REQUEST_IDS = ["abc-1", "x" * 65, "a b", "a\tb", "é", "2119dd30dc3a4c2fbf2e489945489777"]


@pytest.mark.parametrize("offered", REQUEST_IDS)
def test_a_harmless_request_id_is_kept(client: Client, offered: str) -> None:
    given = client.get("/v2/things", headers={"X-Request-ID": offered})["X-Request-ID"]

    is_harmless = len(offered) <= 64 and all(
        c.isascii() and (c.isalnum() or c in ".-_") for c in offered
    )
    assert (given == offered) is is_harmless
