"""POST /v2/orders has two ways in, the hot ASGI route and Django's view: both give one answer.

Each request is sent twice, plainly (hot) and with an Idempotency-Key (Django). What is turned down
is turned down alike, with the same sentence, and leaves orders and cash as they were.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]
PATIENCE_SECONDS = 60
Headers = list[tuple[str, str]]
JSON: Headers = [("Content-Type", "application/json")]
ORDER: Mapping[str, object] = {
    "symbol": "MSFT", "qty": "2", "side": "buy", "type": "limit", "time_in_force": "gtc",
    "limit_price": "1.5",
}  # fmt: skip
NOT_A_NUMBER = (422, 42210000, "FIELD_INVALID")
"""JSON that writes no number we take: refused while reading."""
FIELD_WRONG = (422, 40010001, "FIELD_INVALID")
MALFORMED = (400, 40010001, "REQUEST_MALFORMED")
NOT_SIGNED = (401, 40110000, "NOT_AUTHENTICATED")
MEDIA = (415, 41510000, "REQUEST_MALFORMED")


def order(**changes: object) -> bytes:
    """The order with other values; None leaves a field out."""
    fields = {**ORDER, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def written(name: str, literal: str) -> bytes:
    """The order with `literal` standing in the JSON text as the value of `name`."""
    return order(**{name: "@"}).replace(b'"@"', literal.encode())


@dataclass(frozen=True)
class Case:
    """A request and how it is turned down: status, code, reason."""

    name: str
    body: bytes
    answer: tuple[int, int, str]
    headers: Headers = field(default_factory=lambda: JSON)
    key: str = "alice"


NUMBERS = {
    "NaN": NOT_A_NUMBER, "Infinity": NOT_A_NUMBER, "-Infinity": NOT_A_NUMBER,
    "1e400": NOT_A_NUMBER, "1e-400": NOT_A_NUMBER, "1E999999999": NOT_A_NUMBER,
    "1000000000000000000000": NOT_A_NUMBER, "0.0000000000001": NOT_A_NUMBER,
    "sNaN": MALFORMED, "1_000": MALFORMED, "+5": MALFORMED, "05": MALFORMED, "0x10": MALFORMED,
    ".5": MALFORMED, "１２": MALFORMED,
    "true": FIELD_WRONG, "[]": FIELD_WRONG, "[5]": FIELD_WRONG, "{}": FIELD_WRONG,
    '"NaN"': FIELD_WRONG, '"sNaN"': FIELD_WRONG, '"Infinity"': FIELD_WRONG,
    '"1_000"': FIELD_WRONG, '"１２"': FIELD_WRONG, '"٣"': FIELD_WRONG, '" 5 "': FIELD_WRONG,
    '"+5"': FIELD_WRONG, '"1E3"': FIELD_WRONG, '"1,5"': FIELD_WRONG, '"1.5.0"': FIELD_WRONG,
    '""': FIELD_WRONG, '"5\\u0000"': MALFORMED, '"--5"': FIELD_WRONG, '"0x10"': FIELD_WRONG,
}  # fmt: skip
QTY_RANGE = (422, 42210000, "QUANTITY_OUT_OF_RANGE")
PRICE_RANGE = (422, 42210000, "PRICE_OUT_OF_RANGE")
RULES = [
    Case("qty null", written("qty", "null"), (422, 40010001, "FIELD_MISSING")),
    Case("qty zero", order(qty="0"), QTY_RANGE),
    Case("qty minus zero", written("qty", "-0"), QTY_RANGE),
    Case("qty negative", order(qty="-1"), QTY_RANGE),
    Case("qty negative number", order(qty=-1), QTY_RANGE),
    Case("qty huge", order(qty="999999999999999999"), QTY_RANGE),
    Case("qty off lot", order(qty="1.5"), (422, 42210000, "QUANTITY_OFF_LOT")),
    Case("price null", written("limit_price", "null"), (422, 42210000, "PRICE_REQUIRED")),
    Case("price zero", order(limit_price="0"), PRICE_RANGE),
    Case("price negative", order(limit_price="-1"), PRICE_RANGE),
    Case("price off tick", order(limit_price="1.505"), (422, 42210000, "PRICE_OFF_TICK")),
    Case("price of a market order", order(type="market"), (422, 42210000, "PRICE_NOT_ALLOWED")),
    Case(
        "stop price of a limit order",
        order(stop_price="1"),
        (422, 42210000, "STOP_PRICE_NOT_ALLOWED"),
    ),
    Case(
        "stop limit without a stop price",
        order(type="stop_limit"),
        (422, 42210000, "STOP_PRICE_REQUIRED"),
    ),
    Case(
        "stop off tick",
        order(type="stop_limit", stop_price="1.505"),
        (422, 42210000, "STOP_PRICE_OFF_TICK"),
    ),
    Case(
        "stop immediate or cancel",
        order(type="stop_limit", stop_price="1.5", time_in_force="ioc"),
        (422, 42210000, "TIF_NOT_ALLOWED"),
    ),
    Case("unknown symbol", order(symbol="NOPE"), (422, 42210000, "INSTRUMENT_UNKNOWN")),
    Case("too dear", order(qty="100000", limit_price="20"), (403, 40310000, "FUNDS_INSUFFICIENT")),
    Case("not held", order(side="sell"), (403, 40310000, "POSITION_INSUFFICIENT")),
]
FIELDS = [
    *(
        Case(f"without {name}", order(**{name: None}), (422, 40010001, "FIELD_MISSING"))
        for name in ORDER
        if name != "limit_price"
    ),
    Case("side in capitals", order(side="BUY"), FIELD_WRONG),
    Case("side as number", order(side=1), FIELD_WRONG),
    Case("symbol as list", order(symbol=["MSFT"]), FIELD_WRONG),
    Case("symbol too long", order(symbol="M" * 33), FIELD_WRONG),
    Case("type unknown", order(type="pegged"), FIELD_WRONG),
    Case("time in force unknown", order(time_in_force="never"), FIELD_WRONG),
    Case("client id too long", order(client_order_id="i" * 129), FIELD_WRONG),
    Case("client id with a line end", order(client_order_id="a\nb"), FIELD_WRONG),
    Case("unknown field", order(is_staff=True), (422, 40010001, "FIELD_UNKNOWN")),
    Case("inert field with a meaning", order(extended_hours=True), FIELD_WRONG),
]
BODIES = [
    Case("no body", b"", MALFORMED),
    Case("no JSON", b"symbol=MSFT", MALFORMED),
    Case("cut off", order()[:-1], MALFORMED),
    Case("a list", b"[" + order() + b"]", MALFORMED),
    Case("a text", b'"buy"', MALFORMED),
    Case("a key twice", order()[:-1] + b', "qty": "200"}', MALFORMED),
    Case("nested 100 deep", written("qty", "[" * 100 + "]" * 100), MALFORMED),
    Case("70 kB", order(client_order_id="x" * 70_000), (413, 41310000, "REQUEST_TOO_LARGE")),
    Case("not UTF-8", order(symbol="@").replace(b"@", b"\xff\xfe"), MALFORMED),
    Case("UTF-16", order().decode().encode("utf-16"), MALFORMED),
    Case("half a surrogate pair", order(client_order_id="@").replace(b"@", b"\\ud800"), MALFORMED),
    Case("form", b"symbol=MSFT", MEDIA, [("Content-Type", "application/x-www-form-urlencoded")]),
    Case("text", order(), MEDIA, [("Content-Type", "text/plain")]),
    Case("JSON's cousin", order(), MEDIA, [("Content-Type", "application/json-patch+json")]),
    Case("two types", order(), MEDIA, [*JSON, ("Content-Type", "text/plain")]),
]
KEYS = [
    Case("no key", order(), NOT_SIGNED, key="nobody"),
    Case("wrong secret", order(), NOT_SIGNED, key="wrong secret"),
    Case("key id without secret", order(), NOT_SIGNED, key="no secret"),
    Case("unreadable key id", order(), NOT_SIGNED, key="unreadable"),
    Case("revoked key", order(), NOT_SIGNED, key="revoked"),
    Case("two forms that disagree", order(), NOT_SIGNED, key="two forms"),
    Case("key id twice", order(), NOT_SIGNED, key="twice"),
    Case("no key and no JSON", b"{", NOT_SIGNED, key="nobody"),
    Case("read-only key", order(), (403, 40110000, "NOT_PERMITTED"), key="reads only"),
    Case("read-only key, no JSON", b"{", (403, 40110000, "NOT_PERMITTED"), key="reads only"),
]
CASES = [
    *(
        Case(f"{name} {literal}", written(name, literal), answer)
        for name in ("qty", "limit_price")
        for literal, answer in NUMBERS.items()
    ),
    *RULES,
    *FIELDS,
    *BODIES,
    *KEYS,
]


Keys = dict[str, Headers]


@pytest.fixture(scope="module")
def keys(live_portal: LivePortal) -> Keys:
    """The headers of every kind of caller, by the name that a case gives."""
    live_portal.create_trader("alice-hot")
    alice = live_portal.create_key("alice-hot")
    reader = live_portal.create_key("alice-hot", scopes="read")
    revoked = live_portal.create_key("alice-hot")
    _revoke(live_portal, revoked)
    basic = base64.b64encode(f"{reader.key_id}:{reader.secret}".encode()).decode()
    return {
        "alice": _signed(alice),
        "nobody": [],
        "wrong secret": _signed(Key(alice.key_id, reader.secret)),
        "no secret": [("APCA-API-KEY-ID", alice.key_id)],
        "unreadable": _signed(Key('PK-"; drop', alice.secret)),
        "revoked": _signed(revoked),
        "two forms": [*_signed(alice), ("Authorization", f"Basic {basic}")],
        "twice": [*_signed(alice), *_signed(alice)],
        "reads only": _signed(reader),
    }


def _signed(key: Key) -> Headers:
    return [("APCA-API-KEY-ID", key.key_id), ("APCA-API-SECRET-KEY", key.secret)]


def _revoke(portal: LivePortal, key: Key) -> None:
    portal.manage(
        "shell", "-c",
        "from accounts.models import ApiKey;"
        "from accounts.services import revoke_api_key;"
        "from core.domain.clock import SystemClock;"
        "from core.domain.origin import Origin;"
        f"key = ApiKey.objects.get(key_id='{key.key_id}');"
        "origin = Origin(now=SystemClock().now());"
        "revoke_api_key(key=key, reason='lost', actor=None, origin=origin)",
    )  # fmt: skip


@pytest.fixture(scope="module")
def http(live_portal: LivePortal) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live_portal.url, timeout=PATIENCE_SECONDS) as client:
        yield client


def hot(http: httpx.Client, body: bytes, headers: Headers) -> httpx.Response:
    return http.post("/v2/orders", content=body, headers=headers)


def django(http: httpx.Client, body: bytes, headers: Headers) -> httpx.Response:
    once = ("Idempotency-Key", f'"{uuid4()}"')
    answer = http.post("/v2/orders", content=body, headers=[*headers, once])
    assert "content-security-policy" in answer.headers  # every answer of Django's has one
    return answer


def state(http: httpx.Client, keys: Keys) -> tuple[Any, Any]:  # Any: JSON
    orders = http.get("/v2/orders?status=all&limit=500", headers=keys["alice"])
    account = http.get("/v2/account", headers=keys["alice"])
    assert (orders.status_code, account.status_code) == (200, 200)
    told = account.json()
    return orders.json(), (told["cash"], told["buying_power"], told["equity"])


def said(answer: httpx.Response) -> dict[str, Any]:  # Any: JSON
    """The answer's body without what differs between two requests by nature."""
    body: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        assert body.pop("request_id") == answer.headers["x-request-id"]
    return body


def budget(answer: httpx.Response) -> set[str]:
    """The headers that tell the key's budget: the dialect's three and the IETF's two."""
    return {name for name in answer.headers if "ratelimit" in name}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_refusal_is_the_same_on_both_ways_and_changes_nothing(
    case: Case, keys: Keys, http: httpx.Client
) -> None:
    headers = [*case.headers, *keys[case.key]]
    before = state(http, keys)

    answers = [hot(http, case.body, headers), django(http, case.body, headers)]

    for answer in answers:
        body = answer.json()
        assert (answer.status_code, body["code"], body["reason"]) == case.answer, body["message"]
    assert said(answers[0]) == said(answers[1])
    assert budget(answers[0]) == budget(answers[1])
    assert len(budget(answers[0])) == (0 if case.answer[0] == 401 else 5)
    assert state(http, keys) == before


VALID = {
    "limit": order(),
    "numbers as JSON numbers": order(qty=2, limit_price=1.5),
    "numbers with an exponent": written("qty", "2e0"),
    "zeros at the end": order(qty="2.000", limit_price="1.50"),
    "inert fields": order(extended_hours=False, order_class="simple"),
    "immediate or cancel": order(time_in_force="ioc"),
    "fill or kill": order(time_in_force="fok"),
    "market": order(type="market", limit_price=None, time_in_force="day", qty="1"),
    "client id at its longest": order(client_order_id="c" * 64 + "@"),
}
OWN = ("id", "client_order_id", "created_at", "updated_at", "submitted_at", "filled_at",
       "canceled_at", "expires_at", "filled_avg_price")  # fmt: skip
"""What two equal orders do not share."""


@pytest.mark.parametrize("name", VALID)
def test_an_order_is_answered_alike_on_both_ways(name: str, keys: Keys, http: httpx.Client) -> None:
    headers = [*JSON, *keys["alice"]]
    ids = [uuid4().hex, uuid4().hex]
    bodies = [VALID[name].replace(b"@", order_id.encode()) for order_id in ids]

    answers = [hot(http, bodies[0], headers), django(http, bodies[1], headers)]

    assert [answer.status_code for answer in answers] == [200, 200]
    first, second = (answer.json() for answer in answers)
    assert list(first) == list(second)
    assert (first["forced"], second["forced"]) == (None, None)
    assert {k: v for k, v in first.items() if k not in OWN} == {
        k: v for k, v in second.items() if k not in OWN
    }
    for placed in (first, second):
        stored = http.get(f"/v2/orders/{placed['id']}", headers=headers).json()
        assert stored == placed
        http.delete(f"/v2/orders/{placed['id']}", headers=headers)
    http.delete("/v2/positions", headers=headers)  # what is held changes its worth by itself


def test_a_client_order_id_counts_once_whichever_way_it_came(
    keys: Keys, http: httpx.Client
) -> None:
    headers = [*JSON, *keys["alice"]]
    body = order(client_order_id="one-of-two-ways")
    placed = hot(http, body, headers).json()
    before = state(http, keys)

    answers = [hot(http, body, headers), django(http, body, headers)]

    assert said(answers[0]) == said(answers[1])
    for answer in answers:
        assert answer.status_code == 422
        assert answer.json()["reason"] == "CLIENT_ORDER_ID_DUPLICATE"
        assert answer.json()["order_id"] == placed["id"]
    assert state(http, keys) == before
    http.delete(f"/v2/orders/{placed['id']}", headers=headers)


def test_a_plain_order_takes_the_hot_way(keys: Keys, http: httpx.Client) -> None:
    answer = hot(http, order(time_in_force="ioc"), [*JSON, *keys["alice"]])

    assert answer.status_code == 200
    assert "content-security-policy" not in answer.headers


def test_a_key_works_as_basic_authorization_on_both_ways(keys: Keys, http: httpx.Client) -> None:
    (_, key_id), (_, secret) = keys["alice"]
    basic = base64.b64encode(f"{key_id}:{secret}".encode()).decode()
    headers = [*JSON, ("Authorization", f"Basic {basic}")]

    answers = [way(http, order(time_in_force="ioc"), headers) for way in (hot, django)]

    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [
        (200, "canceled"),
        (200, "canceled"),
    ]


def test_a_body_of_unknown_length_is_read_on_both_ways(keys: Keys, http: httpx.Client) -> None:
    headers = [*JSON, *keys["alice"]]
    body = order(time_in_force="ioc")

    for once in ([], [("Idempotency-Key", f'"{uuid4()}"')]):
        pieces = (body[start : start + 7] for start in range(0, len(body), 7))
        answer = http.post("/v2/orders", content=pieces, headers=[*headers, *once])

        assert answer.request.headers["transfer-encoding"] == "chunked"
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
