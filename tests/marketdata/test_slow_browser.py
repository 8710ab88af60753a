"""A browser that stops reading, over real TCP: the others go on, and it is cut off."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import msgspec
import pytest
from django.conf import settings as django_settings
from prometheus_client import REGISTRY
from redis import Redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.models import User
from marketdata.consumers.symbols import known_instruments
from marketdata.domain.frames import event_frame
from marketdata.hub import listener
from marketdata.models import Currency, Instrument, Venue
from tests.marketdata.browser import session_of
from tests.marketdata.gateway import running_gateway

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
TOPIC = "book:AAPL"


@pytest.fixture
def gateway(transactional_db: None) -> Iterator[int]:
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
    known_instruments.clear()
    with running_gateway() as port:
        yield port
    known_instruments.clear()


@contextmanager
def page(port: int, user: User) -> Iterator[ClientConnection]:
    cookie = f"{django_settings.SESSION_COOKIE_NAME}={session_of(user).session_key}"
    opening = connect(
        f"ws://127.0.0.1:{port}/ws/v1/",
        origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        compression=None,
        max_queue=1,
        close_timeout=1,
    )
    with opening as socket:
        assert msgspec.json.decode(socket.recv(60))["op"] == "welcome"
        socket.send(msgspec.json.encode({"op": "subscribe", "topics": [TOPIC]}).decode())
        while msgspec.json.decode(socket.recv(60))["op"] != "snapshot":
            pass
        yield socket


def newest_seq(socket: ClientConnection, wanted: int) -> None:
    """Read until the book of this number has come."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        frame = msgspec.json.decode(socket.recv(60))
        if frame.get("topic") == TOPIC and frame["seq"] == wanted:
            return
    raise AssertionError(f"book {wanted} did not come")


def test_reader_that_stopped_is_cut_off_and_the_others_go_on(
    gateway: int, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "STUCK_SECONDS", 1)
    redis = Redis.from_url(django_settings.REDIS_URL)

    def publish(seq: int, size: int) -> None:
        frame = event_frame(TOPIC, epoch="slow", seq=seq, data={"bids": ["x" * size]})
        redis.publish(django_settings.REDIS_PREFIX + TOPIC, frame)

    too_slow_before = REGISTRY.get_sample_value("portal_hub_too_slow_total") or 0
    with page(gateway, alice) as stuck, page(gateway, bob) as reading:
        # 400 frames of 100 kB are more than the sockets' buffers hold.
        for seq in range(1, 401):
            publish(seq, 100_000)
            if seq % 20 == 0:
                newest_seq(reading, seq)
        time.sleep(4)
        publish(401, 1)
        newest_seq(reading, 401)

        # Either it still gets the reason, or it was cut off before the close frame could pass.
        with pytest.raises(ConnectionClosed) as ending:
            while True:
                stuck.recv(60)

    assert REGISTRY.get_sample_value("portal_hub_too_slow_total") == too_slow_before + 1
    assert ending.value.rcvd is None or ending.value.rcvd.code == 4408
