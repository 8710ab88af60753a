"""Market data over REST, in the Alpaca dialect (DESIGN §6): reference data, bars, newest prices.

Stock clients (alpaca-py, ccxt) run against these routes unmodified;
"""

from marketdata.api.charts import ChartView, IndicatorList
from marketdata.api.formulas import FormulaDetail, FormulaList
from marketdata.api.history import (
    CryptoBars,
    CryptoQuotes,
    CryptoTrades,
    StockBars,
    StockHistory,
    StockQuotes,
    StockTrades,
)
from marketdata.api.hours import CalendarView, ClockView
from marketdata.api.instruments import InstrumentsView, InstrumentView
from marketdata.api.latest import (
    CryptoLatest,
    CryptoSnapshots,
    StockLatest,
    StockSnapshots,
    StockSymbolLatest,
    StockSymbolSnapshot,
)
from marketdata.api.reference import AssetDetail, AssetList
from marketdata.api.watchlists import (
    NamedWatchlistView,
    WatchlistItemView,
    WatchlistsView,
    WatchlistView,
)

__all__ = [
    "AssetDetail",
    "AssetList",
    "CalendarView",
    "ChartView",
    "ClockView",
    "CryptoBars",
    "CryptoLatest",
    "CryptoQuotes",
    "CryptoSnapshots",
    "CryptoTrades",
    "FormulaDetail",
    "FormulaList",
    "IndicatorList",
    "InstrumentView",
    "InstrumentsView",
    "NamedWatchlistView",
    "StockBars",
    "StockHistory",
    "StockLatest",
    "StockQuotes",
    "StockSnapshots",
    "StockSymbolLatest",
    "StockSymbolSnapshot",
    "StockTrades",
    "WatchlistItemView",
    "WatchlistView",
    "WatchlistsView",
]
