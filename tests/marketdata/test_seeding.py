"""The demo market: what is made, what is labelled, and that it is made once."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db.models import Count

from core.domain.clock import to_ns
from marketdata.domain.trading_days import UtcDays
from marketdata.models import Bar, Instrument
from marketdata.selectors import feed_instruments, instrument_by_symbol
from marketdata.services import resumed_bars, seed_market

pytestmark = pytest.mark.django_db
SUNDAY = datetime(2026, 3, 1, 15, 30, 20, tzinfo=UTC)


def test_demo_market_is_made_once() -> None:
    assert seed_market(SUNDAY) == 7
    bars = Bar.objects.count()

    assert seed_market(SUNDAY) == 0

    assert Instrument.objects.count() == 7
    assert Bar.objects.count() == bars


def test_equities_get_real_bars_on_business_days_and_say_so() -> None:
    seed_market(SUNDAY)

    days = Bar.objects.filter(instrument__symbol="AAPL", timeframe="1Day").order_by("start")
    last = days.last()
    assert days.count() == 1_000
    assert last is not None
    assert last.start == datetime(2026, 2, 27, tzinfo=UTC)  # the Friday before
    assert (last.open, last.high, last.low, last.close, last.volume) == (
        Decimal("438.00"),
        Decimal("438.18"),
        Decimal("429.98"),
        Decimal("430.47"),
        Decimal(19_730_300),
    )
    assert {bar.start.weekday() for bar in days} == {0, 1, 2, 3, 4}
    assert {bar.source for bar in days} == {"bokeh_sampledata, re-dated"}


def test_minutes_end_now_at_the_start_price() -> None:
    seed_market(SUNDAY)

    for symbol, price in (("AAPL", "430.47"), ("BTC/USD", "64250"), ("ETH/USD", "3180")):
        minutes = Bar.objects.filter(instrument__symbol=symbol, timeframe="1Min").order_by("start")
        last = minutes.last()
        assert minutes.count() == 1_440
        assert last is not None
        assert last.start == datetime(2026, 3, 1, 15, 29, tzinfo=UTC)
        assert last.close == Decimal(price)
        assert last.source == "simulated history"


def test_every_bar_is_on_the_grid() -> None:
    seed_market(SUNDAY)

    grids = {i.pk: (i.tick_size, i.lot_size) for i in Instrument.objects.all()}
    for bar in Bar.objects.all():
        tick, lot = grids[bar.instrument_id]
        assert not any(price % tick for price in (bar.open, bar.high, bar.low, bar.close))
        assert bar.volume % lot == 0


def test_everything_is_labelled_simulated() -> None:
    seed_market(SUNDAY)

    assert all("simulated" in name for name in Instrument.objects.values_list("name", flat=True))
    sources = Bar.objects.values("source").annotate(count=Count("pk")).order_by("source")
    assert [row["source"] for row in sources] == ["bokeh_sampledata, re-dated", "simulated history"]


def test_feed_goes_on_where_the_market_was_left() -> None:
    seed_market(SUNDAY)
    Bar.objects.filter(
        instrument__symbol="IBM", timeframe="1Min", start=datetime(2026, 3, 1, 15, 29, tzinfo=UTC)
    ).update(close=Decimal("203.00"), high=Decimal("204.00"))

    instruments = {item.grid.symbol: item for item in feed_instruments("simulated")}

    assert len(instruments) == 7
    assert instruments["IBM"].last_price == Decimal("203.00")
    assert instruments["IBM"].reference_price == Decimal("202.91")
    assert instruments["BTC/USD"].grid.is_crypto is True


def test_day_so_far_is_found_again() -> None:
    seed_market(SUNDAY)

    left = resumed_bars({"AAPL": UtcDays()}, to_ns(SUNDAY))["AAPL"]

    today = Bar.objects.filter(
        instrument__symbol="AAPL", timeframe="1Min", start__gte=datetime(2026, 3, 1, tzinfo=UTC)
    ).order_by("start")
    assert left.minute is None
    assert left.day is not None
    assert left.day.open == today[0].open
    assert left.day.close == Decimal("430.47")
    assert left.day.volume == sum(bar.volume for bar in today)


@pytest.mark.parametrize("name", ["BTC/USD", "BTCUSD"])
def test_pair_is_found_with_and_without_its_slash(name: str) -> None:
    seed_market(SUNDAY)

    instrument = instrument_by_symbol(name)

    assert instrument is not None
    assert instrument.symbol == "BTC/USD"
    assert instrument_by_symbol("BTC") is None
    assert instrument_by_symbol("") is None
