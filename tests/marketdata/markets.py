"""Instruments of tests on stored history: a stock of New York, and one of a market in UTC."""

from datetime import UTC, datetime
from decimal import Decimal

from marketdata.models import Bar, Currency, Instrument, Venue


def make_instrument(
    symbol: str, *, zone: str = "America/New_York", calendar: str = "XNYS"
) -> Instrument:
    usd, _ = Currency.objects.get_or_create(code="USD", defaults={"name": "US dollar"})
    venue, _ = Venue.objects.get_or_create(
        code=f"V-{calendar}",
        defaults={
            "name": calendar,
            "kind": Venue.Kind.SIMULATED,
            "time_zone": zone,
            "calendar": calendar,
        },
    )
    return Instrument.objects.create(
        symbol=symbol,
        name=symbol,
        asset_class="us_equity",
        venue=venue,
        quote_currency=usd,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
    )


def store_bar(
    instrument: Instrument, timeframe: str, start: datetime, price: int, volume: int = 100
) -> None:
    """A bar that opens at `price`, closes one above it and has its range two around it."""
    Bar.objects.create(
        instrument=instrument,
        timeframe=timeframe,
        start=start,
        open=price,
        high=price + 2,
        low=price - 2,
        close=price + 1,
        volume=volume,
        trade_count=3,
        vwap=price,
        source="test",
    )


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day, ...
