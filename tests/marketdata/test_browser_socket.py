"""The browser socket: who gets in, who hears what, and when it ends."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from channels.layers import get_channel_layer
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings
from redis.asyncio import Redis

from accounts.domain.sockets import session_mark, user_group
from accounts.models import User
from marketdata.consumers import browser
from marketdata.consumers.base import MESSAGES_PER_SECOND
from marketdata.domain.frames import event_frame
from marketdata.models import Currency, Instrument, Venue
from tests.marketdata.browser import BrowserPage, in_database, session_of, with_page

pytestmark = pytest.mark.django_db(transaction=True)
WELCOME = {"op": "welcome", "heartbeat_seconds": 1}


@pytest.fixture(autouse=True)
def market(settings: Settings, transactional_db: None) -> Iterator[None]:
    settings.LIVE_TOPIC_PROVIDERS = {"account": "tests.marketdata.topic_provider.OwnAccount"}
    usd = Currency.objects.create(code="USD", name="US dollar")
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    Instrument.objects.create(
        symbol="AAPL",
        name="Apple",
        asset_class="us_equity",
        venue=venue,
        quote_currency=usd,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
    )
    browser.known_instruments.clear()
    yield
    browser.known_instruments.clear()


async def publish(topic: str, seq: int, data: object) -> None:
    redis = Redis.from_url(django_settings.REDIS_URL)
    frame = event_frame(topic, epoch="e1", seq=seq, data=data)
    await redis.publish(django_settings.REDIS_PREFIX + topic, frame)
    await redis.aclose()


def test_stranger_is_closed_out(market: None) -> None:
    async def scenario(page: BrowserPage) -> None:
        assert await page.closed() == 4401
        assert page.heard == []

    with_page(AnonymousUser(), {}, scenario)


def test_unverified_second_factor_is_closed_out(alice: User) -> None:
    TOTPDevice.objects.create(user=alice, confirmed=True)

    async def scenario(page: BrowserPage) -> None:
        assert await page.closed() == 4401
        assert page.heard == []

    with_page(alice, session_of(alice), scenario)


def test_market_topic_is_heard(alice: User) -> None:
    async def scenario(page: BrowserPage) -> None:
        await page.send({"op": "subscribe", "topics": ["quote:AAPL"]})
        await page.hear(2)
        await publish("quote:AAPL", 1, {"bid": "1"})
        heard = await page.hear(3)

        assert heard[0] == WELCOME
        assert (heard[1]["op"], heard[1]["topic"], heard[1]["data"]) == (
            "snapshot",
            "quote:AAPL",
            None,
        )
        assert (heard[2]["op"], heard[2]["seq"], heard[2]["data"]) == ("event", 1, {"bid": "1"})

    with_page(alice, session_of(alice), scenario)


def test_own_account_starts_with_its_snapshot(alice: User) -> None:
    async def scenario(page: BrowserPage) -> None:
        await page.send({"op": "subscribe", "topics": ["account:alice"]})

        assert (await page.hear(2))[1] == {
            "op": "snapshot",
            "topic": "account:alice",
            "epoch": "ledger",
            "seq": 3,
            "data": {"orders": []},
        }

    with_page(alice, session_of(alice), scenario)


def test_charlie_hears_nothing_of_alices_account(charlie: User) -> None:
    async def scenario(page: BrowserPage) -> None:
        await page.send({"op": "subscribe", "topics": ["account:alice"]})
        await page.hear(2)
        await publish("account:alice", 4, {"secret": True})
        await page.send({"op": "ping", "t": 1})
        heard = await page.hear(3)

        assert heard[1] == {
            "op": "error",
            "code": "NOT_FOUND",
            "message": "There is no such topic for you.",
            "topic": "account:alice",
        }
        assert heard[2] == {"op": "pong", "t": 1}
        assert len(heard) == 3

    with_page(charlie, session_of(charlie), scenario)


@pytest.mark.parametrize("topic", ["quote:NOPE", "user", "user.1", "engine:alive", "bar:AAPL"])
def test_unknown_topic_is_an_error_frame(alice: User, topic: str) -> None:
    async def scenario(page: BrowserPage) -> None:
        await page.send({"op": "subscribe", "topics": [topic]})

        error = (await page.hear(2))[1]
        assert (error["op"], error["code"], error["topic"]) == ("error", "NOT_FOUND", topic)

    with_page(alice, session_of(alice), scenario)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "[]",
        "{}",
        '{"op":"subscribe","topics":"quote:AAPL"}',
        '{"op":"subscribe","topics":[1]}',
        '{"op":"subscribe","op":"ping","t":1}',
        '{"op":"ping","t":NaN}',
        '{"op":"order"}',
        "[" * 1000,
    ],
)
def test_malformed_message_is_an_error_frame_and_the_socket_lives(alice: User, text: str) -> None:
    async def scenario(page: BrowserPage) -> None:
        await page.send_text(text)
        await page.send({"op": "ping", "t": 5})
        heard = await page.hear(3)

        assert (heard[1]["op"], heard[1]["code"]) == ("error", "REQUEST_MALFORMED")
        assert heard[2] == {"op": "pong", "t": 5}

    with_page(alice, session_of(alice), scenario)


def test_a_topic_is_heard_at_the_pace_and_from_the_place_that_was_asked_for(alice: User) -> None:
    async def scenario(page: BrowserPage) -> None:
        place = {"topic": "account:alice", "epoch": "ledger", "seq": 3}
        await page.send({"op": "subscribe", "topics": [place]})
        await page.send({"op": "subscribe", "topics": ["quote:AAPL"], "every_ms": 50})
        await page.hear(3)
        await publish("quote:AAPL", 1, {"bid": "1"})
        heard = await page.hear(4)

        assert {"op": "resumed", "missed": 0, **place} in heard
        assert (heard[3]["op"], heard[3]["seq"]) == ("event", 1)

    with_page(alice, session_of(alice), scenario)


@pytest.mark.parametrize(
    "change",
    [
        {"every_ms": 60},
        {"every_ms": -50},
        {"every_ms": "50"},
        {"every_ms": True},
        {"topics": [{"topic": "quote:AAPL"}]},
        {"topics": [{"topic": "quote:AAPL", "epoch": "e", "seq": -1}]},
        {"topics": [{"topic": "quote:AAPL", "epoch": "e", "seq": True}]},
        {"topics": [{"topic": "quote:AAPL", "epoch": "e" * 65, "seq": 1}]},
        {"topics": [{"topic": "quote:AAPL", "epoch": "e", "seq": 1, "more": 1}]},
        {"topics": ["quote:AAPL"] * 201},
    ],
)
def test_a_subscription_of_another_form_is_refused_with_what_to_send(
    alice: User, change: dict[str, object]
) -> None:
    async def scenario(page: BrowserPage) -> None:
        await page.send({"op": "subscribe", "topics": ["quote:AAPL"]} | change)
        await page.send({"op": "ping", "t": 5})
        heard = await page.hear(3)

        assert (heard[1]["op"], heard[1]["code"]) == ("error", "REQUEST_MALFORMED")
        assert heard[2] == {"op": "pong", "t": 5}

    with_page(alice, session_of(alice), scenario)


def test_flood_of_messages_is_closed(alice: User) -> None:
    async def scenario(page: BrowserPage) -> None:
        for number in range(2 * MESSAGES_PER_SECOND + 2):
            await page.send({"op": "ping", "t": number})

        assert await page.closed() == 1008

    with_page(alice, session_of(alice), scenario)


def test_too_large_message_is_closed(alice: User) -> None:
    async def scenario(page: BrowserPage) -> None:
        await page.send_text('"' + "x" * 65_536 + '"')

        assert await page.closed() == 1009

    with_page(alice, session_of(alice), scenario)


def test_notification_of_the_user_is_passed_on(alice: User) -> None:
    frame = {"op": "event", "topic": "user", "data": {"kind": "notification"}}

    async def scenario(page: BrowserPage) -> None:
        await page.hear(1)
        await asyncio.sleep(0.1)
        await get_channel_layer().group_send(
            user_group(alice.pk),
            {"type": "user.message", "frame": msgspec.json.encode(frame).decode()},
        )

        assert await page.hear(2) == [WELCOME, frame]

    with_page(alice, session_of(alice), scenario)


def test_signing_out_closes_the_sessions_socket_and_no_other(alice: User) -> None:
    here, elsewhere = session_of(alice), session_of(alice)
    assert here.session_key is not None

    async def scenario(page: BrowserPage) -> None:
        await page.hear(1)
        await asyncio.sleep(0.1)
        layer = get_channel_layer()
        for key in (elsewhere.session_key, here.session_key):
            await layer.group_send(
                user_group(alice.pk), {"type": "user.signed_out", "session": session_mark(str(key))}
            )
            if key == elsewhere.session_key:
                await page.send({"op": "ping", "t": 1})
                await page.hear(2)
                assert page.close_code is None

        assert await page.closed() == 4401

    with_page(alice, here, scenario)


def test_ended_session_is_noticed_without_being_told(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "STANDING_CHECK_SECONDS", 0.2)
    session = session_of(alice)

    async def scenario(page: BrowserPage) -> None:
        await page.hear(1)
        await asyncio.sleep(0.5)
        assert page.close_code is None
        await in_database(session.delete)()

        assert await page.closed() == 4401

    with_page(alice, session, scenario)


def test_deactivated_user_is_closed_out(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "STANDING_CHECK_SECONDS", 0.2)

    async def scenario(page: BrowserPage) -> None:
        await page.hear(1)
        await User.objects.filter(pk=alice.pk).aupdate(is_active=False)

        assert await page.closed() == 4401

    with_page(alice, session_of(alice), scenario)


def test_idle_socket_lives_and_hears_a_heartbeat_each_second(alice: User) -> None:
    async def scenario(page: BrowserPage) -> None:
        await asyncio.sleep(6.5)  # longer than redis-py's read timeout of 5 s

        assert page.close_code is None
        assert len(page.beats) >= 5
        assert page.beats[-1]["engine"] == "down"
        assert page.beats[-1]["feed_age_ms"] is None

    with_page(alice, session_of(alice), scenario)
