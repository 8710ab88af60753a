"""Market data over REST, in the Alpaca dialect (DESIGN §6): reference data, bars, newest prices.

Stock clients (alpaca-py, ccxt) run against these routes unmodified;
"""

from marketdata.api.history import CryptoBars, CryptoTrades, StockBars, StockTrades
from marketdata.api.hours import CalendarView, ClockView
from marketdata.api.latest import CryptoLatest, CryptoSnapshots, StockLatest, StockSnapshots
from marketdata.api.reference import AssetDetail, AssetList

__all__ = [
    "AssetDetail",
    "AssetList",
    "CalendarView",
    "ClockView",
    "CryptoBars",
    "CryptoLatest",
    "CryptoSnapshots",
    "CryptoTrades",
    "StockBars",
    "StockLatest",
    "StockSnapshots",
    "StockTrades",
]
