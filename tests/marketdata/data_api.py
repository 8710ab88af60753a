"""The small market that tests of the data API read: two stocks and a pair, a key of Alice's."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.test import Client
from redis import Redis

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import to_ns
from core.domain.origin import Origin
from marketdata.domain.frames import event_frame
from marketdata.domain.stored import QuoteRow, TradeRow
from marketdata.models import Bar, Currency, Feed, Instrument, Venue
from marketdata.services import save_quotes, save_trades

DAY = datetime(2026, 3, 2, tzinfo=UTC)
Get = Callable[..., Any]


@pytest.fixture
def market(db: None) -> dict[str, Instrument]:
    usd = Currency.objects.create(code="USD", name="US dollar")
    btc = Currency.objects.create(code="BTC", name="Bitcoin", display_decimals=8)
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    common = {"venue": venue, "quote_currency": usd, "tick_size": Decimal("0.01")}
    return {
        "AAPL": Instrument.objects.create(
            symbol="AAPL", name="Apple", asset_class="us_equity", lot_size=Decimal(1), **common
        ),
        "IBM": Instrument.objects.create(
            symbol="IBM", name="IBM", asset_class="us_equity", lot_size=Decimal(1), **common
        ),
        "BTC/USD": Instrument.objects.create(
            symbol="BTC/USD",
            name="Bitcoin",
            asset_class="crypto",
            base_currency=btc,
            lot_size=Decimal("0.0001"),
            **common,
        ),
    }


def add_minutes(instrument: Instrument, count: int) -> None:
    """Bars of one minute from midnight: closes 100, 101, 102 ..."""
    Bar.objects.bulk_create(
        Bar(
            instrument=instrument,
            timeframe="1Min",
            start=DAY + timedelta(minutes=number),
            open=100 + number,
            high=102 + number,
            low=99 + number,
            close=100 + number,
            volume=10,
            trade_count=2,
            vwap=Decimal("100.5") + number,
            source="test",
        )
        for number in range(count)
    )


@pytest.fixture
def get(alice: User, market: dict[str, Instrument], now: datetime) -> Get:
    key, secret = create_api_key(
        user=alice, scopes=[Scope.READ], origin=Origin(now=now), rate_limit_per_minute=10_000
    )
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret}

    def call(path: str, via: str = "get", **query: str | int | list[str]) -> Any:
        return getattr(Client(), via)(path, query, headers=headers)

    return call


@pytest.fixture
def source(db: None) -> Feed:
    """The feed that stored ticks came from."""
    return Feed.objects.create(name="tape", adapter="import")


def store_trades(instrument: Instrument, source: Feed, *prints: tuple[int, int]) -> None:
    """Prints as (seconds after midnight, number); the price is 100 and a cent for each number."""
    save_trades(
        [
            TradeRow(
                instrument.pk, to_ns(DAY + timedelta(seconds=second)), number,
                (10_000 + number) * 10**6, 10**8, 1, source.pk,
            )
            for second, number in prints
        ]
    )  # fmt: skip


def store_quotes(instrument: Instrument, source: Feed, *told: tuple[int, int]) -> None:
    """Quotes as (seconds after midnight, number); the bid is 100 and a cent for each number."""
    save_quotes(
        [
            QuoteRow(
                instrument.pk, to_ns(DAY + timedelta(seconds=second)), number,
                (10_000 + number) * 10**6, 2 * 10**8, (10_002 + number) * 10**6, 10**8, source.pk,
            )
            for second, number in told
        ]
    )  # fmt: skip


class LiveCache:
    """What the feed and the engine leave in Redis for who comes later."""

    def __init__(self) -> None:
        self._redis = Redis.from_url(settings.REDIS_URL)

    def keep(self, topic: str, data: Mapping[str, object], *, moves_price: bool = True) -> None:
        """As the publisher does: a print that moves no price is among the recent only."""
        frame = event_frame(topic, epoch="test", seq=1, data=data)
        if moves_price:
            self._redis.set(f"{settings.REDIS_PREFIX}latest:{topic}", frame)
        if topic.startswith("trade:"):
            self._redis.lpush(f"{settings.REDIS_PREFIX}recent:{topic}", frame)

    def trade(self, symbol: str, second: int, number: int) -> None:
        """The newest print; priced as `store_trades` prices it."""
        self.keep(
            f"trade:{symbol}",
            {
                "id": number,
                "price": str(Decimal(10_000 + number) / 100),
                "size": "1",
                "side": "BUY",
                "t": msgspec.to_builtins(DAY + timedelta(seconds=second)),
                "feed": "tape",
            },
        )

    def clear(self) -> None:
        for kind in ("latest", "recent"):
            for key in self._redis.scan_iter(f"{settings.REDIS_PREFIX}{kind}:*"):
                self._redis.delete(key)


@pytest.fixture
def live() -> Iterator[LiveCache]:
    cache = LiveCache()
    cache.clear()
    yield cache
    cache.clear()
