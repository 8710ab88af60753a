"""Questions about instruments, bars and the newest prices. Nothing here changes anything."""

from marketdata.domain.bar_view import BarView
from marketdata.selectors.bars import (
    CHART_LIMIT,
    CHART_TIMEFRAMES,
    bar_view,
    bars_for_chart,
    daily_bars,
    with_open_bar,
)
from marketdata.selectors.factors import corporate_actions, factors_of
from marketdata.selectors.feeds import (
    ConfiguredFeed,
    configured_feeds,
    feed_names,
    instrument_ids,
    ranked_feeds,
    trading_days,
)
from marketdata.selectors.instruments import (
    feed_instruments,
    grid_of,
    halted_symbols,
    instrument_by_public_id,
    instrument_by_symbol,
    instruments_named,
    symbols_named,
    tradable_instruments,
)
from marketdata.selectors.live import (
    LiveDataUnavailableError,
    feed_age_seconds,
    latest_bars,
    latest_books,
    latest_quotes,
    latest_trades,
    recent_trades,
)
from marketdata.selectors.price_bands import is_in_volatility_pause, price_bands
from marketdata.selectors.stored_bars import BarWindow, bars_in
from marketdata.selectors.ticks import QuoteView, TickKey, TradeView, quotes_in, trades_in
from marketdata.selectors.watch import previous_closes

__all__ = [
    "CHART_LIMIT",
    "CHART_TIMEFRAMES",
    "BarView",
    "BarWindow",
    "ConfiguredFeed",
    "LiveDataUnavailableError",
    "QuoteView",
    "TickKey",
    "TradeView",
    "bar_view",
    "bars_for_chart",
    "bars_in",
    "configured_feeds",
    "corporate_actions",
    "daily_bars",
    "factors_of",
    "feed_age_seconds",
    "feed_instruments",
    "feed_names",
    "grid_of",
    "halted_symbols",
    "instrument_by_public_id",
    "instrument_by_symbol",
    "instrument_ids",
    "instruments_named",
    "is_in_volatility_pause",
    "latest_bars",
    "latest_books",
    "latest_quotes",
    "latest_trades",
    "previous_closes",
    "price_bands",
    "quotes_in",
    "ranked_feeds",
    "recent_trades",
    "symbols_named",
    "tradable_instruments",
    "trades_in",
    "trading_days",
    "with_open_bar",
]
