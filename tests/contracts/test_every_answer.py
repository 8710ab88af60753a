"""Every address of the API, by every method: refusals in the one shape, the key's budget on all.

Without an engine: what needs one says so, in the same shape.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.api import error_body
from core.domain.clock import SystemClock
from core.domain.errors import ErrorReason
from core.domain.origin import Origin
from portfolio.services.accounts import create_account
from tests.attacks.routes import Route, all_routes

pytestmark = pytest.mark.django_db
Answer = Any  # the test client's response, which has no name in the types

API = [route for route in all_routes() if route.path.startswith(("/v2/", "/v1beta3/", "/api/v1/"))]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MEMBERS = set(error_body(status=400, code=1, reason=ErrorReason.INTERNAL, message=""))
BUDGET = {
    "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy",
    "RateLimit", "X-Request-ID",
}  # fmt: skip


def signed(user: User, *scopes: Scope, rate: int = 1_000_000) -> dict[str, str]:
    origin = Origin(now=SystemClock().now())
    key, secret = create_api_key(
        user=user, scopes=list(scopes), origin=origin, rate_limit_per_minute=rate
    )
    return {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret}


@pytest.fixture
def headers(alice: User) -> dict[str, str]:
    create_account(owner=alice, name="Alice", now=SystemClock().now() - timedelta(days=1))
    return signed(alice, Scope.READ, Scope.TRADE)


def answers(client: Client, headers: dict[str, str]) -> Iterator[tuple[str, Route, Answer]]:
    for route in API:
        for method in METHODS:
            yield (
                method,
                route,
                client.generic(
                    method, route.path, b"{", content_type="application/json", headers=headers
                ),
            )


def assert_one_shape(response: Answer, what: object) -> None:
    body = response.json()
    assert set(body) >= MEMBERS, what
    assert body["status"] == response.status_code, what
    assert body["detail"] == body["message"] != "", what
    assert body["request_id"] == response["X-Request-ID"], what
    assert body["code"] // 100_000 in {response.status_code, 400, 401}, what


def test_there_are_routes() -> None:
    assert len(API) > 35


def test_whoever_has_a_key_is_refused_in_the_one_shape_and_sees_the_budget(
    client: Client, headers: dict[str, str]
) -> None:
    seen = set()
    for method, route, response in answers(client, headers):
        what = (method, route.name, response.status_code)
        assert set(response.headers) >= BUDGET, what
        assert response.status_code < 500 or response.status_code == 503, what
        if response.status_code >= 400:
            assert_one_shape(response, what)
        seen.add(response.status_code)

    assert {200, 400, 403, 404, 405} <= seen


def test_a_stranger_is_refused_in_the_one_shape(client: Client, db: None) -> None:
    for method, route, response in answers(client, {}):
        if response.status_code >= 400:
            assert_one_shape(response, (method, route.name))

    assert_one_shape(client.get("/v2/nothing"), "an address that is not there")


def test_beyond_its_budget_a_key_is_told_when_to_come_back(client: Client, alice: User) -> None:
    headers = signed(alice, Scope.READ, Scope.TRADE, rate=1)
    client.get("/v2/clock", headers=headers)

    for method, route, response in answers(client, headers):
        assert response.status_code == 429, (method, route.name)
        assert_one_shape(response, (method, route.name))
        assert set(response.headers) >= BUDGET | {"Retry-After"}, (method, route.name)
        assert response["X-RateLimit-Remaining"] == "0"
        assert 1 <= int(response["Retry-After"]) <= 60


def test_an_account_that_never_had_money_is_worth_nothing(
    client: Client, headers: dict[str, str]
) -> None:
    account = client.get("/v2/account", headers=headers).json()

    assert (account["cash"], account["equity"], account["fees_paid"]) == ("0", "0", "0")
    assert client.get("/v2/positions", headers=headers).json() == []
