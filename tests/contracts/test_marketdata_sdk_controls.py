"""The control words of the data sockets, spoken in JSON to a running gateway."""

import contextlib

import msgpack
import msgspec
import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key, revoke_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from marketdata.api.params import FEED_NAMES
from marketdata.consumers import control, programs
from marketdata.consumers.news import NEWS_CHANNELS
from marketdata.hub import listener
from tests.contracts.data_gateway import AT_TIME, TRADE, Feed, Gateway, feed, gateway, talk

__all__ = ["feed", "gateway"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_json_stream_speaks_the_control_words(gateway: Gateway) -> None:
    auth = {"action": "auth", "key": gateway.key, "secret": gateway.secret}
    nothing = {name: [] for name in ("bars", "orderbooks", *NEWS_CHANNELS)}
    silent = {"corrections": ["*"], "cancelErrors": ["*"]}
    none_silent = {"corrections": [], "cancelErrors": []}

    answers = talk(
        gateway,
        {"action": "subscribe", "quotes": ["AAPL"]},
        auth,
        auth,
        {"action": "subscribe", "quotes": ["AAPL"], "trades": ["*"]},
        {"action": "unsubscribe", "trades": ["*"]},
        {"action": "subscribe", "quotes": ["NOPE"]},
        {"action": "subscribe", "quotes": "AAPL"},
        {"action": "subscribe", "quotes": [1]},
        {"action": "subscribe", "quotes": [], "levels": ["AAPL"]},
        {"action": "subscribe", "news": ["AAPL"]},
        {"action": "auth", "key": gateway.key},
        {"action": "dance"},
        "not json",
    )

    assert answers == [
        [{"T": "success", "msg": "connected"}],
        [{"T": "error", "code": 401, "msg": "not authenticated"}],
        [{"T": "success", "msg": "authenticated"}],
        [{"T": "error", "code": 403, "msg": "already authenticated"}],
        [{"T": "subscription", "trades": ["*"], "quotes": ["AAPL"]} | nothing | silent],
        [{"T": "subscription", "trades": [], "quotes": ["AAPL"]} | nothing | none_silent],
        [{"T": "error", "code": 400, "msg": "invalid syntax: unknown symbol NOPE"}],
        [{"T": "error", "code": 400, "msg": "invalid syntax"}],
        [{"T": "error", "code": 400, "msg": "invalid syntax"}],
        [{"T": "error", "code": 400, "msg": "invalid syntax"}],
        [{"T": "error", "code": 410, "msg": "invalid subscribe action for this feed"}],
        [{"T": "error", "code": 400, "msg": "invalid syntax"}],
        [{"T": "error", "code": 410, "msg": "invalid subscribe action for this feed"}],
        [{"T": "error", "code": 400, "msg": "invalid syntax"}],
    ]


def test_wrong_key_is_told(gateway: Gateway) -> None:
    wrong = {"action": "auth", "key": gateway.key, "secret": "x" * 43}

    assert talk(gateway, wrong)[1] == [{"T": "error", "code": 402, "msg": "auth failed"}]


def test_json_events_carry_exact_numbers(gateway: Gateway, feed: Feed) -> None:
    with connect(gateway.socket("/v1beta3/crypto/us")) as program:
        program.recv(60)
        for request in (
            {"action": "auth", "key": gateway.key, "secret": gateway.secret},
            {"action": "subscribe", "trades": ["BTC/USD"]},
        ):
            program.send(msgspec.json.encode(request).decode())
            program.recv(60)

        heard = None
        while heard is None:
            feed.tell("trade:BTC/USD", TRADE)
            with contextlib.suppress(TimeoutError):
                heard = program.recv(0.2)

        assert heard == (
            '[{"T":"t","S":"BTC/USD","t":"2026-03-02T15:30:00.123456Z",'
            '"p":430.48,"s":7,"i":1795358828011000,"tks":"B"}]'
        )


def test_revoked_key_ends_its_sockets(
    gateway: Gateway, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from marketdata.consumers import key_watch

    monkeypatch.setattr(key_watch, "KEY_CHECK_SECONDS", 0.2)
    with (
        connect(gateway.socket("/v2/iex")) as leaving,
        connect(gateway.socket("/v2/iex")) as program,
    ):
        auth = {"action": "auth", "key": gateway.key, "secret": gateway.secret}
        for socket in (leaving, program):
            socket.recv(60)
            socket.send(msgspec.json.encode(auth).decode())
            socket.recv(60)
        leaving.close()  # both wait for the end of one key: it ends for who is left

        key = alice.api_keys.get()
        origin = Origin(now=SystemClock().now())
        revoke_api_key(key=key, reason="lost", actor=alice, origin=origin)

        assert msgspec.json.decode(program.recv(60))[0]["code"] == 402


def test_fragmented_request_is_one_request(gateway: Gateway) -> None:
    text = msgspec.json.encode(
        {"action": "auth", "key": gateway.key, "secret": gateway.secret}
    ).decode()
    with connect(gateway.socket("/v2/iex")) as program:
        program.recv(60)

        program.send([text[:10], text[10:30], text[30:]])

        assert msgspec.json.decode(program.recv(60)) == [{"T": "success", "msg": "authenticated"}]


def auth_of(gateway: Gateway) -> dict[str, str]:
    return {"action": "auth", "key": gateway.key, "secret": gateway.secret}


def code_of(answer: list[dict[str, object]]) -> object:
    return answer[0].get("code")


def test_every_name_of_a_stock_feed_opens_the_one_market(gateway: Gateway) -> None:
    asked = {"action": "subscribe", "bars": ["*"]}

    answers = [talk(gateway, auth_of(gateway), asked, path=f"/v2/{name}") for name in FEED_NAMES]

    assert [answer[2][0]["bars"] for answer in answers] == [["*"]] * 6


def test_a_key_in_the_handshake_needs_no_first_message(gateway: Gateway) -> None:
    headers = {"APCA-API-KEY-ID": gateway.key, "APCA-API-SECRET-KEY": gateway.secret}

    with connect(gateway.socket("/v2/iex"), additional_headers=headers) as program:
        greeting = [msgspec.json.decode(program.recv(60)) for _ in range(2)]

    assert [answer[0]["msg"] for answer in greeting] == ["connected", "authenticated"]


def test_a_key_that_may_not_read_is_told_so(gateway: Gateway, alice: User) -> None:
    origin = Origin(now=SystemClock().now())
    key, secret = create_api_key(
        user=alice, scopes=[Scope.TRADE], origin=origin, rate_limit_per_minute=100
    )

    answer = talk(gateway, {"action": "auth", "key": key.key_id, "secret": secret})[1]

    assert answer == [{"T": "error", "code": 409, "msg": "insufficient subscription"}]


def test_too_many_symbols_are_refused_and_change_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "TOPIC_LIMIT", 2)

    answers = talk(
        gateway,
        auth_of(gateway),
        {"action": "subscribe", "quotes": ["AAPL", "IBM"]},
        {"action": "subscribe", "statuses": ["AAPL"]},
        {"action": "subscribe", "quotes": ["IBM"]},
    )

    assert code_of(answers[3]) == 405
    assert (answers[4][0]["quotes"], answers[4][0]["statuses"]) == (["AAPL", "IBM"], [])


def test_a_key_opens_so_many_sockets_and_again_when_one_has_gone(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "CONNECTION_LIMIT", 1)
    with connect(gateway.socket("/v2/iex")) as first:
        first.recv(60)
        first.send(msgspec.json.encode(auth_of(gateway)).decode())
        first.recv(60)

        refused = talk(gateway, auth_of(gateway), path="/v1beta3/crypto/us")[1]

    assert refused == [{"T": "error", "code": 406, "msg": "connection limit exceeded"}]
    while code_of(talk(gateway, auth_of(gateway))[1]) == 406:
        pass  # the gateway has not noticed yet that the first has gone


def test_who_says_nothing_is_told_and_closed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "AUTH_TIMEOUT_SECONDS", 0.1)
    with connect(gateway.socket("/v2/iex")) as program:
        program.recv(60)

        assert code_of(msgspec.json.decode(program.recv(60))) == 404
        with pytest.raises(ConnectionClosed) as closed:
            program.recv(60)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_a_database_that_is_away_is_an_internal_error(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(asset_class: str) -> frozenset[str]:
        raise OperationalError("the database is away")

    monkeypatch.setattr(programs.known_instruments, "of_class", away)

    answers = talk(
        gateway, auth_of(gateway), {"action": "subscribe", "quotes": ["AAPL"]}, auth_of(gateway)
    )

    assert [code_of(answer) for answer in answers[2:]] == [500, 403]


NO_REQUESTS: list[str | bytes] = [
    b"",
    b"\xc1",
    b"\x91" * 60_000,
    b"\x81\x91\x01\x01",
    b"{}",
    msgpack.packb(["auth"]),
    msgpack.packb({"action": 7}),
    msgpack.packb({"action": b"auth", "key": b"k", "secret": b"s"}),
    "",
    '{"action":"auth","action":"auth"}',
    "[" * 60_000,
    '{"action":"subscribe","quotes":NaN}',
]


def test_a_frame_that_is_no_request_is_bad_syntax(gateway: Gateway) -> None:
    with connect(gateway.socket("/v2/iex")) as program:
        program.recv(60)

        for frame in NO_REQUESTS:
            program.send(frame)
            assert code_of(msgspec.json.decode(program.recv(60))) == 400, frame[:40]

        program.send(msgspec.json.encode(auth_of(gateway)).decode())
        assert msgspec.json.decode(program.recv(60))[0]["msg"] == "authenticated"


def test_numbers_as_channels_are_bad_syntax(gateway: Gateway) -> None:
    with connect(gateway.socket("/v2/iex")) as program:
        program.recv(60)
        program.send(msgspec.json.encode(auth_of(gateway)).decode())
        program.recv(60)

        program.send(msgpack.packb({"action": "subscribe", 7: ["AAPL"]}))

        assert code_of(msgspec.json.decode(program.recv(60))) == 400


def test_pings_are_answered(gateway: Gateway) -> None:
    with connect(gateway.socket("/v2/iex")) as program:
        program.recv(60)

        assert program.ping(b"are you there").wait(5)


def test_times_in_msgpack_are_timestamps(gateway: Gateway, feed: Feed) -> None:
    feed.tell("book:BTC/USD", {"bids": [["1", "2"]], "asks": [], "t": TRADE["t"]})
    headers = {"Content-Type": "application/msgpack"}
    path = gateway.socket("/v1beta3/crypto/us")

    with connect(path, additional_headers=headers) as program:
        program.recv(60)
        for request in (auth_of(gateway), {"action": "subscribe", "orderbooks": ["BTC/USD"]}):
            program.send(msgpack.packb(request))
            confirmed = msgpack.unpackb(program.recv(60))
        told = msgpack.unpackb(program.recv(60))

    assert confirmed[0]["orderbooks"] == ["BTC/USD"]
    assert told[0]["t"] == msgpack.Timestamp.from_datetime(AT_TIME)
    assert (told[0]["r"], told[0]["b"]) == (True, [{"p": 1, "s": 2}])


def test_who_reads_too_slowly_is_told_before_the_end(
    gateway: Gateway, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "STUCK_SECONDS", 1)
    monkeypatch.setattr(programs, "FAREWELL_SECONDS", 30)
    large = {"bids": [[str(n), "1"] for n in range(1, 5_000)], "asks": [], "t": TRADE["t"]}
    too_slow_before = REGISTRY.get_sample_value("portal_hub_too_slow_total") or 0

    with connect(gateway.socket("/v1beta3/crypto/us"), max_queue=1, compression=None) as program:
        program.recv(60)
        for request in (auth_of(gateway), {"action": "subscribe", "orderbooks": ["BTC/USD"]}):
            program.send(msgspec.json.encode(request).decode())
            program.recv(60)
        while REGISTRY.get_sample_value("portal_hub_too_slow_total") == too_slow_before:
            feed.tell("book:BTC/USD", large)
        codes = set()
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                codes.add(code_of(msgspec.json.decode(program.recv(30))))

    assert codes == {None, 407}
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4408
