"""Attacks on a whole running portal: others' orders, dead keys, halts, secrets in logs."""

import json
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from tests.live_portal import Browser, Key, LivePortal, SignIn

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]
CANARY = "canary-7f3a9c-not-a-real-password"


def api(portal: LivePortal, key: Key) -> httpx.Client:
    return httpx.Client(
        base_url=portal.url,
        headers={"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret},
        timeout=30,
    )


def buy(client: httpx.Client, **changes: object) -> httpx.Response:
    order = {
        "symbol": "AAPL",
        "qty": "1",
        "side": "buy",
        "type": "limit",
        "limit_price": "1.00",
        "time_in_force": "gtc",
        "client_order_id": uuid4().hex,
        **changes,
    }
    return client.post("/v2/orders", json=order)


@pytest.fixture(scope="module")
def alice(live_portal: LivePortal) -> SignIn:
    return live_portal.create_trader("alice-attacked")


@pytest.fixture(scope="module")
def alices_api(live_portal: LivePortal, alice: SignIn) -> Iterator[httpx.Client]:
    with api(live_portal, live_portal.create_key(alice.username)) as client:
        yield client


@pytest.fixture(scope="module")
def charlies_api(live_portal: LivePortal) -> Iterator[httpx.Client]:
    live_portal.create_trader("charlie-attacking")
    with api(live_portal, live_portal.create_key("charlie-attacking")) as client:
        yield client


@pytest.fixture(scope="module")
def console(live_portal: LivePortal) -> Browser:
    made = json.loads(
        live_portal.manage("create_user", "--username", "olga-live", "--role", "operator", "--json")
    )
    browser = Browser(live_portal.url)
    browser.sign_in(SignIn("olga-live", made["password"]))
    return browser


def row_of(browser: Browser, page: str, text: str) -> str:
    """The primary key of the one row that a search finds."""
    found = re.findall(
        r'name="_selected_action" value="([^"]+)"', browser.http.get(page, params={"q": text}).text
    )
    assert len(found) == 1, found
    return str(found[0])


def test_another_traders_order_is_as_unknown_as_none(
    alices_api: httpx.Client, charlies_api: httpx.Client
) -> None:
    placed = buy(alices_api)
    assert placed.status_code == 200, placed.text
    theirs, nobodys = placed.json()["id"], str(uuid4())

    for method in ("GET", "DELETE"):
        answers = [charlies_api.request(method, f"/v2/orders/{i}") for i in (theirs, nobodys)]
        assert [answer.status_code for answer in answers] == [404, 404]
        bodies = [answer.json() for answer in answers]
        for body in bodies:
            del body["request_id"]
        assert str(bodies[0]).replace(theirs, "") == str(bodies[1]).replace(nobodys, "")
    by_name = charlies_api.get(
        "/v2/orders:by_client_order_id",
        params={"client_order_id": placed.json()["client_order_id"]},
    )
    assert by_name.status_code == 404
    assert theirs not in charlies_api.get("/v2/orders", params={"status": "all"}).text
    charlies_api.delete("/v2/orders")
    assert alices_api.get(f"/v2/orders/{theirs}").json()["status"] in {"new", "accepted"}
    alices_api.delete(f"/v2/orders/{theirs}")


def test_another_traders_pages_refuse_their_order(
    live_portal: LivePortal, alices_api: httpx.Client
) -> None:
    order_id = buy(alices_api).json()["id"]
    charlie = Browser(live_portal.url)
    charlie.sign_in(live_portal.create_trader("charlie-clicking"))

    token = charlie.token("/terminal")
    theirs, nobodys = (
        charlie.http.post(
            f"/orders/{wanted}/cancel",
            data={"csrfmiddlewaretoken": token},
            headers={"Origin": charlie.url, "Accept": "application/json"},
        )
        for wanted in (order_id, uuid4())
    )

    assert theirs.status_code == nobodys.status_code
    assert theirs.status_code in {404, 422}
    assert theirs.json()["message"] == nobodys.json()["message"]
    assert alices_api.get(f"/v2/orders/{order_id}").json()["status"] in {"new", "accepted"}
    alices_api.delete(f"/v2/orders/{order_id}")


@pytest.mark.parametrize(
    "field",
    ["user", "account", "account_id", "status", "filled_qty", "is_staff", "role", "fee_rate"],
)
def test_a_field_that_nobody_asked_for_is_refused(alices_api: httpx.Client, field: str) -> None:
    before = len(alices_api.get("/v2/orders", params={"status": "all"}).json())

    answer = buy(alices_api, **{field: "1"})

    assert answer.status_code in {400, 422}
    assert len(alices_api.get("/v2/orders", params={"status": "all"}).json()) == before


@pytest.mark.parametrize(
    "text",
    ["NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1E999999999", "-1", "0", "-0", "1_000",
     "１２", "٣", " 5 ", "+5", "1E3", "1,5", "", "x", "999999999999999999999"],
)  # fmt: skip
def test_an_odd_quantity_is_refused(alices_api: httpx.Client, text: str) -> None:
    answer = buy(alices_api, qty=text)

    assert answer.status_code in {403, 422}, answer.text
    assert answer.json()["reason"]


@pytest.mark.parametrize(
    "raw",
    ["NaN", "Infinity", "1e400", "1e-400", "1e99999999999999999999", "-1", "0", "-0", "null",
     "true", "[]", "{}", "1" * 400],
)  # fmt: skip
def test_an_odd_number_in_the_body_is_refused(alices_api: httpx.Client, raw: str) -> None:
    body = (
        f'{{"symbol":"AAPL","qty":{raw},"side":"buy","type":"limit","limit_price":"1.00",'
        '"time_in_force":"gtc"}'
    )

    answer = alices_api.post(
        "/v2/orders", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["request_id"]


def test_a_read_only_key_places_and_cancels_nothing(
    live_portal: LivePortal, alices_api: httpx.Client, alice: SignIn
) -> None:
    order_id = buy(alices_api).json()["id"]
    with api(live_portal, live_portal.create_key(alice.username, "read")) as reader:
        assert reader.get(f"/v2/orders/{order_id}").status_code == 200
        assert buy(reader).status_code == 403
        assert reader.delete(f"/v2/orders/{order_id}").status_code == 403
        assert reader.delete("/v2/orders").status_code == 403
    assert alices_api.get(f"/v2/orders/{order_id}").json()["status"] in {"new", "accepted"}
    alices_api.delete(f"/v2/orders/{order_id}")


def test_a_revoked_key_is_dead_within_a_second(
    live_portal: LivePortal, alice: SignIn, console: Browser
) -> None:
    key = live_portal.create_key(alice.username)
    page = "/admin/accounts/apikey/"
    with api(live_portal, key) as client:
        assert client.get("/v2/account").status_code == 200
        console.act(page, "revoke", row_of(console, page, key.key_id))
        time.sleep(1)

        assert client.get("/v2/account").status_code == 401
        assert buy(client).status_code == 401


def test_an_operators_adjustment_goes_through_the_ledger(
    live_portal: LivePortal, alices_api: httpx.Client, alice: SignIn, console: Browser
) -> None:
    before = alices_api.get("/v2/account").json()["cash"]
    page = "/admin/portfolio/tradingaccount/"

    said = console.act(page, "adjust_cash", row_of(console, page, alice.username), amount="-1.25")

    assert "adjusted by -1.25" in said
    after = alices_api.get("/v2/account").json()["cash"]
    assert Decimal(before) - Decimal(after) == Decimal("1.25")
    trail = console.http.get("/admin/core/auditentry/", params={"q": "asked for by the test"}).text
    assert "CashAdjusted" in trail
    live_portal.manage("verify_ledger")


def test_a_halted_instrument_takes_cancels_but_no_orders(
    alices_api: httpx.Client, console: Browser
) -> None:
    page = "/admin/marketdata/instrument/"
    resting = buy(alices_api).json()["id"]
    row = row_of(console, page, "AAPL")

    assert "halted." in console.act(page, "halt", row)
    refused = buy(alices_api)
    canceled = alices_api.delete(f"/v2/orders/{resting}")
    assert "resumed." in console.act(page, "resume", row)

    assert refused.status_code in {403, 422}
    assert "HALT" in refused.json()["reason"]
    assert canceled.status_code == 204
    again = buy(alices_api)
    assert again.status_code == 200
    alices_api.delete(f"/v2/orders/{again.json()['id']}")


def test_no_secret_reaches_a_log_or_a_file(live_portal: LivePortal, alice: SignIn) -> None:
    key = live_portal.create_key(alice.username)
    stranger = Browser(live_portal.url)
    stranger.send("/accounts/sign-in", "/accounts/sign-in", username="alice", password=CANARY)
    stranger.send("/accounts/sign-in", "/accounts/sign-in", username=CANARY, password="x")
    stranger.sign_in(alice)
    session = stranger.http.cookies["sessionid"]
    with api(live_portal, key) as client:
        client.get("/v2/account")
        buy(client, qty="x")
        client.get("/v2/account", headers={"APCA-API-SECRET-KEY": CANARY})
        client.get("/v2/orders", headers={"Authorization": f"Bearer {CANARY}"})
        client.post("/v2/orders", content=b"{", headers={"APCA-API-SECRET-KEY": CANARY})

    secrets = [CANARY, alice.password, key.secret, session]
    files = [
        file
        for folder in ("logs", "mail", "run")
        for file in (live_portal.data_dir / folder).rglob("*")
        if file.is_file()
    ]
    assert any(file.suffix == ".log" for file in files)
    for file in files:
        text = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in text, (file.name, secret)
