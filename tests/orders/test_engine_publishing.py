"""What the engine tells through Redis after a commit; it trades on when there is no Redis."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from redis import Redis
from redis.client import PubSub

from core.models import Event
from orders.models import Order
from tests.engine_process import EngineProcess, Zygote, wait_until
from tests.orders.desk import Desk, assert_clean, quote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Frame = dict[str, Any]  # Any: JSON


@pytest.fixture
def redis() -> Iterator[Redis]:
    client = Redis.from_url(settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture
def listener(redis: Redis) -> Iterator[PubSub]:
    """Hears every channel of this portal."""
    listener = redis.pubsub()
    listener.psubscribe(f"{settings.REDIS_PREFIX}*")
    assert listener.get_message(timeout=60)["type"] == "psubscribe"
    yield listener
    listener.close()


def hear(listener: PubSub, topic: str, count: int) -> list[Frame]:
    """The next `count` frames of the topic."""
    frames: list[Frame] = []
    channel = f"{settings.REDIS_PREFIX}{topic}".encode()
    deadline = time.monotonic() + 60
    while len(frames) < count:
        assert time.monotonic() < deadline, f"heard only {frames}"
        message = listener.get_message(timeout=0.1)
        if message and message["channel"] == channel:
            frames += [json.loads(line) for line in (message["data"] or b"null").splitlines()]
    return frames


def test_account_hears_its_events_as_they_are_stored(
    engine: EngineProcess, desk: Desk, listener: PubSub
) -> None:
    account = desk.accounts["alice"]
    engine.ask(quote(asks="100x3"))
    desk.place(engine, "alice", "BUY 5 @ 100")

    frames = hear(listener, f"account:{account.public_id}", 2)

    stored = Event.objects.filter(account_id=account.pk).order_by("account_sequence")[1:]
    assert [frame["data"] for frame in frames] == [event.payload for event in stored]
    assert [frame["seq"] for frame in frames] == [2, 3]
    assert {(frame["op"], frame["topic"], frame["epoch"]) for frame in frames} == {
        ("event", f"account:{account.public_id}", "ledger")
    }


def test_relay_is_woken(engine: EngineProcess, desk: Desk, listener: PubSub) -> None:
    desk.place(engine, "alice", "BUY 5 @ 100")

    assert hear(listener, "outbox", 1) == [None]


def test_depth_joins_users_and_street_and_is_kept(
    engine: EngineProcess, desk: Desk, listener: PubSub, redis: Redis
) -> None:
    engine.ask(quote(bids="99x3 98x4", asks="101x5"))
    desk.place(engine, "alice", "BUY 2 @ 99")
    desk.place(engine, "charlie", "BUY 1 @ 100")

    def depth() -> Frame:
        return hear(listener, "book:AAPL", 1)[0]

    frame = depth()
    while frame["data"]["bids"][0] != ["100", "1"]:
        frame = depth()

    assert frame["data"]["bids"] == [["100", "1"], ["99", "5"], ["98", "4"]]
    assert frame["data"]["asks"] == [["101", "5"]]
    kept = redis.get(f"{settings.REDIS_PREFIX}latest:book:AAPL")
    assert json.loads(kept) == frame  # type: ignore[arg-type]


def test_refusal_is_told_to_nobody(engine: EngineProcess, desk: Desk, listener: PubSub) -> None:
    desk.place(engine, "alice", "BUY 500 @ 100")
    desk.place(engine, "charlie", "BUY 1 @ 100")

    topics = []
    while f"account:{desk.accounts['charlie'].public_id}" not in topics:
        message = listener.get_message(timeout=20)
        topics.append(message["channel"].decode().removeprefix(settings.REDIS_PREFIX))
    assert f"account:{desk.accounts['alice'].public_id}" not in topics


def test_what_waits_is_told_before_the_end(
    engine: EngineProcess, desk: Desk, listener: PubSub
) -> None:
    commands = [desk.submit("alice", "BUY 1 @ 1") for _ in range(300)]
    engine.ask_together(commands)

    engine.terminate()

    frames = hear(listener, f"account:{desk.accounts['alice'].public_id}", 300)
    assert [frame["seq"] for frame in frames] == list(range(2, 302))


def test_engine_trades_on_without_redis(desk: Desk, engine_zygote: Zygote, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"
    engine = EngineProcess(
        engine_zygote, tmp_path, Path(settings.ENGINE_SOCKET), redis_url=url
    ).start()

    outcomes = [desk.place(engine, "alice", "BUY 1 @ 100") for _ in range(20)]
    wait_until(lambda: "engine_heartbeat_failed" in engine.log, "it notices")

    assert set(outcomes) == {"ACCEPTED 0/1"}
    assert Order.objects.count() == 20
    assert engine.terminate() == 0
    assert_clean()
