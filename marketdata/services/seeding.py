"""Makes the demo market: currencies, the simulated venue, instruments and a past for each of them.

Called by `manage.py seed_demo`. Doing it twice changes nothing.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from bokeh_sampledata import package_path
from django.db import transaction

from core.domain.clock import from_ns, to_ns
from marketdata.domain.bars import DAY_NS, MINUTE_NS, Bar, floor_ns
from marketdata.domain.demo import (
    DEMO_CURRENCIES,
    DEMO_INSTRUMENTS,
    SIMULATED_FEED,
    SIMULATED_VENUE,
    SOURCE_HISTORY,
    SOURCE_REDATED,
    DemoInstrument,
)
from marketdata.domain.history import HistorySpec, simulated_bars
from marketdata.domain.simulator import Profile
from marketdata.domain.values import Grid
from marketdata.models import Bar as BarRow
from marketdata.models import Currency, Feed, FeedRoute, Instrument, Venue
from marketdata.services.bars import bar_row, save_bars

HISTORY_DAYS = 1_000
HISTORY_MINUTES = 24 * 60
SATURDAY = 5


@transaction.atomic
def seed_market(now: datetime) -> int:
    """Create what is missing of the demo market; returns how many instruments were added.

    An instrument that exists keeps its bars, its status and its history.
    """
    for code, name, decimals in DEMO_CURRENCIES:
        Currency.objects.get_or_create(
            code=code, defaults={"name": name, "display_decimals": decimals}
        )
    venue, _ = Venue.objects.get_or_create(
        code=SIMULATED_VENUE,
        defaults={"name": "Simulated market", "kind": Venue.Kind.SIMULATED, "time_zone": "UTC"},
    )
    feed, _ = Feed.objects.get_or_create(name=SIMULATED_FEED, defaults={"adapter": SIMULATED_FEED})
    existing = set(Instrument.objects.order_by("pk").values_list("symbol", flat=True))
    missing = [demo for demo in DEMO_INSTRUMENTS if demo.symbol not in existing]
    if missing:
        real = _redated_bars({demo.symbol for demo in missing if not demo.is_crypto}, now)
        for demo in missing:
            instrument = _create_instrument(demo, venue, feed)
            save_bars(_past(demo, instrument.pk, real[demo.symbol], now))
    return len(missing)


def _create_instrument(demo: DemoInstrument, venue: Venue, feed: Feed) -> Instrument:
    instrument = Instrument.objects.create(
        symbol=demo.symbol,
        name=demo.name,
        venue=venue,
        asset_class=Instrument.AssetClass.CRYPTO
        if demo.is_crypto
        else Instrument.AssetClass.US_EQUITY,
        base_currency_id=demo.base_currency,
        quote_currency_id="USD",
        tick_size=demo.tick_size,
        lot_size=demo.lot_size,
        min_notional=demo.min_notional,
    )
    FeedRoute.objects.create(instrument=instrument, feed=feed)
    return instrument


def _past(
    demo: DemoInstrument, instrument_id: int, real: Sequence[Bar], now: datetime
) -> Iterator[BarRow]:
    """A thousand days and the last 24 hours of minutes, which end at the price the market starts
    from.
    """
    price = real[-1].close if real else demo.start_price
    if price is None:
        raise ValueError(f"{demo.symbol} has neither a history nor a start price")
    grid = Grid(demo.symbol, demo.tick_size, demo.lot_size, demo.is_crypto)
    profile = Profile.of(grid, price)
    random = Random(f"history:{demo.symbol}")  # noqa: S311 - a simulated past, not a secret
    now_ns = to_ns(now)
    yield from _rows(instrument_id, "1Day", real, SOURCE_REDATED)
    if not real:
        days = HistorySpec(profile, price, floor_ns(now_ns, DAY_NS), DAY_NS, HISTORY_DAYS)
        yield from _rows(instrument_id, "1Day", simulated_bars(days, random), SOURCE_HISTORY)
    minutes = HistorySpec(profile, price, floor_ns(now_ns, MINUTE_NS), MINUTE_NS, HISTORY_MINUTES)
    yield from _rows(instrument_id, "1Min", simulated_bars(minutes, random), SOURCE_HISTORY)


def _rows(instrument_id: int, timeframe: str, bars: Iterable[Bar], source: str) -> Iterator[BarRow]:
    return (bar_row(instrument_id, timeframe, bar, source) for bar in bars)


def _redated_bars(symbols: set[str], now: datetime) -> dict[str, list[Bar]]:
    """The last real daily bars of each symbol, moved onto the business days that end yesterday.

    Prices are rounded to the cent, the grid that the instruments trade on; rounding keeps low ≤
    open, close ≤ high.
    """
    rows: defaultdict[str, list[list[str]]] = defaultdict(list)
    with gzip.open(package_path("stocks.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if row[0] in symbols:
                rows[row[0]].append(row)
    yesterday = from_ns(to_ns(now)).date() - timedelta(days=1)
    bars: defaultdict[str, list[Bar]] = defaultdict(list)
    for symbol, all_rows in rows.items():
        kept = all_rows[-HISTORY_DAYS:]
        days = _business_days_until(yesterday, len(kept))
        bars[symbol] = [_real_bar(row, day) for row, day in zip(kept, days, strict=True)]
    return bars


def _business_days_until(last: date, count: int) -> list[date]:
    days: list[date] = []
    day = last
    while len(days) < count:
        if day.weekday() < SATURDAY:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]


def _real_bar(row: Sequence[str], day: date) -> Bar:
    symbol, _, opened, high, low, close, volume, _ = row
    prices = [Decimal(text).quantize(Decimal("0.01")) for text in (opened, high, low, close)]
    return Bar(
        symbol=symbol,
        start_ns=to_ns(datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00")),
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[3],
        volume=Decimal(volume),
        trade_count=0,
        vwap=None,
        is_closed=True,
    )
