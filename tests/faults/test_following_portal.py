"""A whole portal follows another one, set up by the very commands of docs/feed-adapters.md: what
dies here or there, no old price is told as live, the simulated feed takes over where it may, and
the other portal is followed again with its own values.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

from marketdata.domain.live_reader import Standing
from marketdata.selectors.quality import FeedStatus
from tests.contracts.test_second_instance import exact_quote, published, to_microsecond
from tests.faults.harms import frozen, tree
from tests.faults.programs import wait_until
from tests.faults.test_live_prices import OLD_SECONDS, QUOTE, Watcher, now_ms
from tests.live_portal import ROOT, Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]
DOCUMENT = ROOT / "docs" / "feed-adapters.md"
HEADING = "## From a fresh portal to an outside feed"
DOCUMENTED_ADDRESS = "http://127.0.0.1:8001"
OUTSIDE, FALLBACK = "alpaca-live", "simulated"
LONELY = "MSFT"
"""Follows the other portal and nobody else."""
UNUSABLE, UNLUCKY = "unusable", "FB"
"""A feed with an option that there is not, and an instrument that follows it first."""
COMMAND_SECONDS = 120


def documented() -> list[list[str]]:
    """The words of each command of the section, without `./portal`."""
    section = DOCUMENT.read_text().partition(HEADING)[2].partition("\n## ")[0]
    return [line.split()[1:] for line in re.findall(r"^    (\./portal .*)$", section, re.MULTILINE)]


class Commands:
    """Types what the document says; `said` keeps the answers, in order."""

    def __init__(self, portal: LivePortal, other: LivePortal, key: Key) -> None:
        self._portal = portal
        self._address = other.url
        self._typed = f"{key.key_id}\n{key.secret}\n"
        self.said: list[tuple[str, str]] = []

    def run(self, words: list[str]) -> None:
        words = [word.replace(DOCUMENTED_ADDRESS, self._address) for word in words]
        match words:
            case ["up", "--detach", *options]:
                self._portal.start(*options)
                answer = self._portal.printed
            case ["down"]:
                self._portal.stop()
                answer = ""
            case _:
                answer = self._managed(words)
        self.said.append((" ".join(words), answer))

    def _managed(self, words: list[str]) -> str:
        assert words[0] == "manage", words
        done = subprocess.run(
            [sys.executable, str(ROOT / "portal"), *words],
            cwd=ROOT,
            env=os.environ | {"PORTAL_DATA_DIR": str(self._portal.data_dir)},
            input=self._typed if "--key-stdin" in words else "",
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return done.stdout


def add_unusable_feed(portal: LivePortal) -> None:
    """As if an option had been right once: by command it would be refused."""
    portal.manage("feed", "add", UNUSABLE, "--adapter", "alpaca")
    portal.manage("feed", "route", UNUSABLE, UNLUCKY)
    with psycopg.connect(portal.database_url) as connection:
        connection.execute(
            "UPDATE marketdata_feed SET options = '{\"colour\": 1}' WHERE name = %s", (UNUSABLE,)
        )


@pytest.fixture(scope="module")
def commands(live_portal: LivePortal) -> Iterator[Commands]:
    """The document's commands, done on a fresh portal that runs until the module's end."""
    live_portal.create_trader("alice-followed")
    root = Path(tempfile.mkdtemp(prefix="portal-following-"))
    root.chmod(0o711)  # the database server's own user passes through, when we are root
    portal = LivePortal(root / "data")
    typing = Commands(portal, live_portal, live_portal.create_key("alice-followed", "read"))
    try:
        for words in documented():
            if words == ["down"]:
                portal.manage("feed", "route", OUTSIDE, LONELY)
                portal.manage("feed", "unroute", FALLBACK, LONELY)
                add_unusable_feed(portal)
            typing.run(words)
        yield typing
    finally:
        if portal.url:
            portal.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def following(commands: Commands) -> LivePortal:
    return commands._portal


@pytest.fixture(scope="module")
def key(following: LivePortal) -> Key:
    following.create_trader("alice-follows")
    return following.create_key("alice-follows")


@pytest.fixture(scope="module")
def api(following: LivePortal, key: Key) -> Iterator[httpx.Client]:
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    with httpx.Client(base_url=following.url, headers=headers, timeout=30) as client:
        yield client


class Asker(threading.Thread):
    """Asks for the newest quotes all the time; `wrong` is what was old and not said to be."""

    def __init__(self, portal: LivePortal, key: Key) -> None:
        super().__init__(daemon=True)
        headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
        self._http = httpx.Client(base_url=portal.url, headers=headers, timeout=30)
        self.ending = threading.Event()
        self.told: list[tuple[str, str, bool]] = []
        """Symbol, feed and whether stale: each change."""
        self.wrong: list[str] = []

    def run(self) -> None:
        newest: dict[str, tuple[str, str, bool]] = {}
        while not self.ending.wait(0.1):
            for symbol, quote in self._quotes().items():
                told = (symbol, quote["feed"], quote.get("stale", False))
                if newest.get(symbol) != told:
                    newest[symbol] = told
                    self.told.append(told)
                age = datetime.now(UTC) - datetime.fromisoformat(quote["t"])
                if not told[2] and age.total_seconds() > OLD_SECONDS:
                    self.wrong.append(f"{symbol} of {told[1]}: not stale, {age} old")
        self._http.close()

    def _quotes(self) -> dict[str, Any]:
        try:
            answer = self._http.get(
                "/v2/stocks/quotes/latest", params={"symbols": f"AAPL,{LONELY}"}
            )
        except httpx.TransportError:
            return {}
        return dict(answer.json()["quotes"]) if answer.status_code == 200 else {}


class SocketWatcher(Watcher):
    """Also notes which feed the quote names while it is live."""

    def __init__(self, url: str, key: Key) -> None:
        super().__init__(url, key)
        self.feeds: list[str] = []

    def _look(self) -> None:
        super()._look()
        with self._lock:
            standing, quote = self._reader.standing(QUOTE, now_ms()), self._reader.data(QUOTE)
        is_other = quote is not None and self.feeds[-1:] != [quote["feed"]]
        if standing is Standing.LIVE and is_other:
            self.feeds.append(quote["feed"])


@contextmanager
def observed(portal: LivePortal, key: Key) -> Iterator[tuple[SocketWatcher, Asker]]:
    """Watched by socket and by REST from the moment at which everything is followed from outside;
    neither may have told an old price as live.
    """
    watcher, asker = SocketWatcher(portal.url, key), Asker(portal, key)
    watcher.start()
    asker.start()
    try:
        wait_until(lambda: follows_outside(watcher), "the other portal is followed")
        yield watcher, asker
        assert watcher.wrong == []
        assert asker.wrong == []
    finally:
        for thread in (watcher, asker):
            thread.ending.set()
            thread.join(30)


def follows_outside(watcher: Watcher) -> bool:
    quote = watcher.data(QUOTE)
    is_live = watcher.standing(QUOTE) is Standing.LIVE
    return is_live and quote is not None and quote["feed"] == OUTSIDE


def check_values_are_the_others(other: LivePortal, portal: LivePortal) -> None:
    """Quotes that are followed now are ones that the other portal has published."""
    heard: list[Any] = []
    with published(other) as told, Redis.from_url(portal.redis_url) as redis:
        topic = f"{portal.environment['PORTAL_REDIS_PREFIX']}latest:quote:AAPL"
        ending = time.monotonic() + 10
        while time.monotonic() < ending and len(heard) < 10:
            data = msgspec.json.decode(redis.get(topic) or b"{}").get("data")
            if data is not None and data["feed"] == OUTSIDE and data not in heard:
                heard.append(data)
            time.sleep(0.05)
    theirs = {exact_quote(topic, data, to_microsecond) for topic, data in told if topic == QUOTE}
    assert len(heard) > 2
    # The first may be one that was told before we listened.
    assert [
        data for data in heard[1:] if exact_quote(QUOTE, data, to_microsecond) not in theirs
    ] == []


def order(api: httpx.Client, symbol: str) -> httpx.Response:
    return api.post(
        "/v2/orders",
        json={
            "symbol": symbol, "qty": "1", "side": "buy", "type": "market", "time_in_force": "day",
        },
    )  # fmt: skip


def fills(api: httpx.Client, symbol: str) -> Callable[[], bool]:
    return lambda: order(api, symbol).status_code == 200


def test_the_documented_commands_make_an_instrument_follow_the_outside_feed(
    commands: Commands, following: LivePortal, live_portal: LivePortal, key: Key
) -> None:
    said = dict(commands.said)

    assert [words.split()[0] for words, _ in commands.said] == [
        "up", "manage", "manage", "manage", "down", "up", "manage",
    ]  # fmt: skip
    routed = next(answer for words, answer in commands.said if " route " in words)
    assert f"AAPL follows {OUTSIDE} at rank 1. {FALLBACK} is at rank 2 now." in routed
    assert "./portal up --market configured" in routed
    assert re.search(r"AAPL: [1-9]\d* quotes", next(a for w, a in commands.said if " test " in w))
    assert f"  AAPL, rank 1\n  {LONELY}, rank 1" in said["manage feed list"]
    with observed(following, key):
        check_values_are_the_others(live_portal, following)
    assert status(following, OUTSIDE).following == ["AAPL", LONELY]


def status(portal: LivePortal, feed: str) -> FeedStatus:
    with Redis.from_url(portal.redis_url) as redis:
        told = redis.get(f"{portal.environment['PORTAL_REDIS_PREFIX']}feed:status:{feed}")
    assert isinstance(told, bytes)
    return msgspec.json.decode(told, type=FeedStatus)


def test_feed_that_cannot_be_used_is_away_and_costs_nobody_a_price(
    following: LivePortal, api: httpx.Client
) -> None:
    def told_by() -> object:
        answer = api.get(f"/v2/stocks/{UNLUCKY}/quotes/latest").json()["quote"]
        return answer["feed"], answer.get("stale", False)

    wait_until(lambda: told_by() == (FALLBACK, False), "the next feed tells")
    wait_until(lambda: status(following, UNUSABLE).state == "AWAY", "it is away")

    reason = status(following, UNUSABLE).error
    assert reason.startswith("There is no option 'colour'")
    assert reason.endswith("Correct it, then run ./portal restart feed.")


def test_silence_of_the_other_portals_feed_makes_stale_then_the_simulated_one_takes_over(
    live_portal: LivePortal, following: LivePortal, key: Key, api: httpx.Client
) -> None:
    with observed(following, key) as (watcher, asker):
        wait_until(fills(api, LONELY), "the street is there")
        with frozen(*tree(live_portal.service("feed")["pid"])):
            wait_until(lambda: watcher.standing(QUOTE) is Standing.STALE, "it is stale")
            wait_until(lambda: (LONELY, OUTSIDE, True) in asker.told, "REST says that it is stale")
            wait_until(lambda: order(api, LONELY).status_code == 403, "nobody trades at it")
            wait_until(lambda: watcher.feeds[-1] == FALLBACK, "the next feed takes over")
            wait_until(lambda: ("AAPL", FALLBACK, False) in asker.told, "REST names it")
            wait_until(fills(api, "AAPL"), "the engine trades at its prices")
            refused = order(api, LONELY)
            assert (refused.status_code, refused.json()["reason"]) == (403, "REFERENCE_STALE")
            assert asker.told[-1] != (LONELY, OUTSIDE, False)

        wait_until(lambda: follows_outside(watcher), "the better feed is followed again")
        wait_until(fills(api, LONELY), "its street is back")
        assert watcher.feeds == [OUTSIDE, FALLBACK, OUTSIDE]
        check_values_are_the_others(live_portal, following)


def test_killed_gateway_of_the_other_portal_is_noticed_and_followed_again(
    live_portal: LivePortal, following: LivePortal, key: Key, api: httpx.Client
) -> None:
    with observed(following, key) as (watcher, _):
        before = status(following, OUTSIDE)
        killed = live_portal.kill("gateway")
        wait_until(lambda: status(following, OUTSIDE).error != "", "the loss is noticed")
        live_portal.wait_until_restarted("gateway", killed)
        wait_until(
            lambda: status(following, OUTSIDE).reconnects > before.reconnects, "it is open again"
        )
        wait_until(lambda: follows_outside(watcher), "it is followed again")
        wait_until(fills(api, LONELY), "its street is back")

        assert set(watcher.feeds) <= {OUTSIDE, FALLBACK}
        assert (watcher.feeds[0], watcher.feeds[-1]) == (OUTSIDE, OUTSIDE)
        check_values_are_the_others(live_portal, following)


def test_killed_feed_process_of_the_follower_goes_on_from_the_other_portal(
    live_portal: LivePortal, following: LivePortal, key: Key, api: httpx.Client
) -> None:
    with observed(following, key) as (watcher, _):
        killed = following.kill("feed")
        following.wait_until_restarted("feed", killed)
        wait_until(lambda: pid_told(following) != killed, "the new process tells")
        wait_until(lambda: follows_outside(watcher), "the other portal is followed")
        wait_until(fills(api, LONELY), "its street is back")

        assert set(watcher.feeds) <= {OUTSIDE, FALLBACK}
        check_values_are_the_others(live_portal, following)


def pid_told(portal: LivePortal) -> int:
    with Redis.from_url(portal.redis_url) as redis:
        told = redis.get(f"{portal.environment['PORTAL_REDIS_PREFIX']}feed:status:{OUTSIDE}")
    return int(msgspec.json.decode(told or b'{"pid": 0}')["pid"])


def test_emptied_and_killed_redis_of_the_follower_is_filled_with_the_other_portals_prices(
    live_portal: LivePortal, following: LivePortal, key: Key, api: httpx.Client
) -> None:
    with observed(following, key) as (watcher, _):
        with Redis.from_url(following.redis_url) as redis:
            redis.flushall()
        killed = following.kill("valkey")
        wait_until(lambda: watcher.standing(QUOTE) is not Standing.LIVE, "the reader notices")
        following.wait_until_restarted("valkey", killed)
        wait_until(lambda: is_told_anew(following), "the newest is there again")
        wait_until(lambda: follows_outside(watcher), "the other portal is followed")
        wait_until(fills(api, LONELY), "its street is back")

        check_values_are_the_others(live_portal, following)


def is_told_anew(portal: LivePortal) -> bool:
    try:
        with Redis.from_url(portal.redis_url) as redis:
            topic = f"{portal.environment['PORTAL_REDIS_PREFIX']}latest:quote:{LONELY}"
            return redis.get(topic) is not None
    except (RedisError, OSError):
        return False
