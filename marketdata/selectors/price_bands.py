"""The volatility bands that are in force, as the engine has stored them."""

from collections.abc import Collection

from marketdata.domain.market_news import PriceBand
from marketdata.models import Instrument


def price_bands(symbols: Collection[str]) -> dict[str, PriceBand]:
    """The band of the newest window of each of `symbols` that has one."""
    rows = Instrument.objects.filter(
        symbol__in=symbols, volatility_bps__gt=0, window_price__isnull=False
    ).order_by("symbol")
    return {
        row.symbol: PriceBand(row.window_price, row.volatility_bps, row.tick_size, row.window_at)
        for row in rows
        if row.window_price is not None and row.window_at is not None
    }


def is_in_volatility_pause(symbol: str) -> bool:
    """Whether the market has halted by itself, because it would have left its band."""
    return Instrument.objects.filter(symbol=symbol, paused__isnull=False).exists()
