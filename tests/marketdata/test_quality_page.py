"""The operators' page of market data: how each feed is, what is missing, what is filled in."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from redis import Redis

from accounts.models import User
from core.domain.clock import SystemClock
from marketdata.models import Feed, FeedRoute, Hole, ImportJob, Instrument

JSON = {"Accept": "application/json"}


@pytest.fixture
def feed(instruments: dict[str, Instrument]) -> Feed:
    """AAPL follows it."""
    feed = Feed.objects.create(name="alpaca-live", adapter="alpaca")
    FeedRoute.objects.create(instrument=instruments["AAPL"], feed=feed)
    return feed


@pytest.fixture
def tell(feed: Feed) -> Iterator[Callable[..., None]]:
    """The feed's process tells how it is, `seconds` ago."""
    redis = Redis.from_url(settings.REDIS_URL)
    key = f"{settings.REDIS_PREFIX}feed:status:{feed.name}"

    def told(*, seconds: int = 0, **members: Any) -> None:  # Any: JSON
        now = SystemClock().now() - timedelta(seconds=seconds)
        status = {"feed": feed.name, "state": "LIVE", "told_at": now.isoformat()}
        redis.set(key, json.dumps(status | members))

    yield told
    redis.delete(key)
    redis.close()


def asked(client: Client) -> dict[str, Any]:  # Any: JSON
    page: dict[str, Any] = client.get("/operate/market-data", headers=JSON).json()
    return page


def test_a_live_feed_shows_its_counts(
    olga: User, signed_in: Callable[[User], Client], tell: Callable[..., None]
) -> None:
    tell(
        last_message_at=SystemClock().now().isoformat(),
        messages=12_345,
        rate=20,
        gaps=2,
        reconnects=1,
        refused={"SPIKE": 3, "CROSSED": 1, "FUTURE": 0},
        following=["AAPL"],
    )

    (row,) = asked(signed_in(olga))["feeds"]

    assert row["age"] in {"0 s", "1 s"}
    del row["age"]
    assert row == {
        "name": "alpaca-live",
        "adapter": "alpaca",
        "state": "LIVE",
        "level": "",
        "word": "Live",
        "error": "",
        "rate": "20",
        "messages": "12,345",
        "gaps": "2",
        "reconnects": "1",
        "refused": "4",
        "reasons": "SPIKE 3, CROSSED 1",
        "follows": "1 / 1",
    }


def test_a_status_that_nobody_renews_is_of_a_process_that_has_gone(
    olga: User, signed_in: Callable[[User], Client], tell: Callable[..., None]
) -> None:
    tell(seconds=60, messages=7)

    (row,) = asked(signed_in(olga))["feeds"]

    assert (row["state"], row["word"], row["level"]) == ("GONE", "No process", "danger")
    assert (row["messages"], row["rate"], row["age"]) == ("–", "–", "–")


def test_a_feed_that_is_away_says_why(
    olga: User, signed_in: Callable[[User], Client], tell: Callable[..., None]
) -> None:
    tell(state="AWAY", error="the key was refused (402)")

    page = signed_in(olga).get("/operate/market-data").content.decode()

    assert "the key was refused (402)" in page
    assert 'data-level="danger">Away' in page


@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_without_redis_the_page_says_that_nobody_knows(
    olga: User, feed: Feed, signed_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1/0")
    monkeypatch.setattr("marketdata.selectors.quality.live_redis", lambda: nowhere)

    shown = asked(signed_in(olga))

    assert shown["feeds"] is None
    assert shown["jobs"] == []


def test_open_holes_and_running_jobs_are_shown_and_filled_holes_are_not(
    olga: User,
    feed: Feed,
    instruments: dict[str, Instrument],
    signed_in: Callable[[User], Client],
) -> None:
    now = SystemClock().now()
    start = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    for number, filled_at in enumerate((None, now)):
        Hole.objects.create(
            instrument=instruments["AAPL"],
            timeframe="1Min",
            start=start + timedelta(days=number),
            end=start + timedelta(days=number, minutes=45),
            found_at=now,
            filled_at=filled_at,
        )
    job = ImportJob.objects.create(
        kind="BACKFILL",
        state="RUNNING",
        instrument=instruments["AAPL"],
        feed=feed,
        timeframe="1Min",
        digest="d",
        source="2026-03-02 to 2026-03-06",
        steps=5,
        steps_done=2,
        rows_stored=780,
        started_at=now,
        updated_at=now,
    )

    shown = asked(signed_in(olga))

    assert shown["hole_count"] == 1
    (hole,) = shown["holes"]
    assert (hole["start"], hole["end"], hole["length"]) == (
        "2026-03-02 14:30",
        "2026-03-02 15:15",
        "45 min",
    )
    (row,) = shown["jobs"]
    assert (row["id"], row["kind"], row["word"], row["progress"], row["rows"]) == (
        str(job.pk),
        "From a provider",
        "Running",
        "2 / 5",
        "780",
    )


def test_only_who_reads_all_accounts_may_look(
    alice: User, client: Client, signed_in: Callable[[User], Client]
) -> None:
    assert signed_in(alice).get("/operate/market-data").status_code == 403
    assert client.get("/operate/market-data").status_code == 302
