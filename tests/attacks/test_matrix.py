"""Every route by seven principals: the matrix of tests/attacks/matrix.py, tried (A32, G2)."""

from collections.abc import Callable, Mapping

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from portfolio.models import TradingAccount
from portfolio.services.accounts import create_account
from tests.attacks.matrix import MATRIX, REFUSED, Door, Who, door_of
from tests.attacks.routes import Route, all_routes
from tests.orders.desk import open_desk

pytestmark = pytest.mark.django_db(transaction=True)

ROUTES = all_routes()
SIGN_IN = ("/accounts/sign-in", "/admin/login/")
PAGES = {Door.PAGE, Door.TRADE_PAGE, Door.OPERATE, Door.CONSOLE}
ABSENT = "00000000-0000-0000-0000-000000000007"


@pytest.fixture
def people(make_user: Callable[..., User]) -> Mapping[Who, Client]:
    """A client of each principal; all but Mallory have an account, none has anybody else's."""
    names = ("alice", "bob", "charlie", "dora", "mallory")
    users = {name: make_user(name) for name in names} | {"anna": make_user("anna", role="analyst")}
    open_desk(users)
    for name in ("dora", "anna"):
        create_account(owner=users[name], name=name, now=SystemClock().now())
    keyed = {
        Who.READER: keys(users["alice"], Scope.READ),
        Who.TRADER: keys(users["charlie"], Scope.READ, Scope.TRADE),
        Who.TENANT: keys(users["dora"], Scope.READ, Scope.TRADE),
        Who.ANALYST: keys(users["anna"], Scope.READ),
        Who.DISABLED: keys(users["mallory"], Scope.READ, Scope.TRADE),
    }
    signed_in = {
        Who.SESSION: "alice", Who.TRADER: "charlie", Who.TENANT: "dora", Who.ANALYST: "anna",
        Who.DISABLED: "mallory",
    }  # fmt: skip
    clients = {who: Client(headers=keyed.get(who, {})) for who in Who}
    for who, name in signed_in.items():
        clients[who].force_login(users[name])
    User.objects.filter(username="mallory").update(is_active=False)
    return clients


def keys(user: User, *scopes: Scope) -> dict[str, str]:
    key, secret = create_api_key(
        user=user,
        scopes=scopes,
        origin=Origin(now=SystemClock().now()),
        rate_limit_per_minute=1_000_000,
    )
    return {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret}


def is_refused(answer: HttpResponse) -> bool:
    if answer.status_code == 302:
        return answer["Location"].startswith(SIGN_IN)
    return answer.status_code in {401, 403}


def tried(route: Route, method: str, client: Client) -> str:
    """What came of it. JSON is asked for: a refusal keeps its status instead of leading back."""
    answer = client.generic(
        method, route.path, b"{}", "application/json", headers={"Accept": "application/json"}
    )
    if is_refused(answer):
        return "refused"
    return {404: "not there", 405: "no such way"}.get(answer.status_code, "let in")


def accepted(door: Door, is_refused: bool) -> set[str]:
    """What the door may answer. A key is asked for before anything else; a page may say first that
    there is no such thing or no such way.
    """
    if door in PAGES:
        return {"refused" if is_refused else "let in", "not there", "no such way"}
    return {"refused"} if is_refused else {"let in", "not there", "no such way"}


def test_every_route_stands_in_the_matrix_and_nothing_else_does() -> None:
    names = {route.name for route in ROUTES}

    assert {name for name in names if door_of(name) is None} == set()
    assert set(MATRIX) - names == set()


def test_each_door_lets_in_whom_it_names_and_refuses_the_rest(
    people: Mapping[Who, Client],
) -> None:
    wrong = []
    for route in ROUTES:
        door = door_of(route.name)
        if door is None or door is Door.OPEN:
            continue
        methods = ("GET",) if door is Door.CONSOLE else ("GET", "POST")
        for number, method in enumerate(methods):
            for who, client in people.items():
                outcome = tried(route, method, client)
                if outcome not in accepted(door, who in REFUSED[door][number]):
                    wrong.append(f"{method} {route.name} by {who.value}: {outcome}")

    assert "; ".join(wrong) == ""


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/v1/kill", {"reason": "none of mine"}),
        ("/api/v1/enable", {"reason": "none of mine"}),
        ("/api/v1/risk/limits", {"kind": "open_orders", "value": "1", "reason": "none of mine"}),
        ("/api/v1/risk/limits/raise", {"kind": "open_orders", "value": None, "reason": "mine"}),
    ],
)
def test_somebody_elses_scope_is_answered_as_one_that_is_not_there(
    people: Mapping[Who, Client], path: str, fields: Mapping[str, object]
) -> None:
    alices = TradingAccount.objects.get(name="Alice").public_id

    for who in (Who.TRADER, Who.TENANT):
        answers = [
            people[who].post(path, {**fields, "scope": scope}, content_type="application/json")
            for number in (alices, ABSENT)
            for scope in (f"account:{number}", f"strategy:{number}:mine")
        ]
        assert {answer.status_code for answer in answers} == {404}, who
        assert (
            len(
                {answer.content.replace(answer["X-Request-ID"].encode(), b"") for answer in answers}
            )
            == 1
        )
