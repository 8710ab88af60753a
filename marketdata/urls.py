"""Addresses of the data API and of the pages. Symbols may hold a slash, so they come last and take
the whole path.
"""

from django.urls import URLPattern, URLResolver, path, re_path

from marketdata import api
from marketdata.views import calendar, instruments, quality, watchlists

app_name = "marketdata"
urlpatterns: list[URLPattern | URLResolver] = [
    path("operate/market-data", quality.quality, name="quality"),
    path("api/v1/charts", api.ChartView.as_view(), name="charts"),
    path("api/v1/indicators", api.IndicatorList.as_view(), name="indicators"),
    path("api/v1/formulas", api.FormulaList.as_view(), name="formulas"),
    path("api/v1/formulas/<uuid:formula_id>", api.FormulaDetail.as_view(), name="formula"),
    path("v2/clock", api.ClockView.as_view(), name="clock"),
    path("v2/calendar", api.CalendarView.as_view(), name="calendar"),
    path("v2/assets", api.AssetList.as_view(), name="assets"),
    path("v2/assets/<path:name>", api.AssetDetail.as_view(), name="asset"),
    path("v2/watchlists", api.WatchlistsView.as_view(), name="api-watchlists"),
    path("v2/watchlists:by_name", api.NamedWatchlistView.as_view(), name="api-watchlist-by-name"),
    path("v2/watchlists/<uuid:watchlist_id>", api.WatchlistView.as_view(), name="api-watchlist"),
    path(
        "v2/watchlists/<uuid:watchlist_id>/<path:symbol>",
        api.WatchlistItemView.as_view(),
        name="api-watchlist-item",
    ),
    path("v2/stocks/bars", api.StockBars.as_view(), name="stock-bars"),
    path("v2/stocks/trades", api.StockTrades.as_view(), name="stock-trades"),
    path("v2/stocks/quotes", api.StockQuotes.as_view(), name="stock-quotes"),
    path("v2/stocks/snapshots", api.StockSnapshots.as_view(), name="stock-snapshots"),
    re_path(
        r"^v2/stocks/(?P<kind>bars|quotes|trades|orderbooks)/latest$",
        api.StockLatest.as_view(),
        name="stock-latest",
    ),
    re_path(
        r"^v2/stocks/(?P<symbol>[^/]+)/(?P<kind>bars|quotes|trades)$",
        api.StockHistory.as_view(),
        name="stock-history",
    ),
    re_path(
        r"^v2/stocks/(?P<symbol>[^/]+)/(?P<kind>bars|quotes|trades|orderbooks)/latest$",
        api.StockSymbolLatest.as_view(),
        name="stock-symbol-latest",
    ),
    path(
        "v2/stocks/<str:symbol>/snapshot",
        api.StockSymbolSnapshot.as_view(),
        name="stock-symbol-snapshot",
    ),
    path("v1beta3/crypto/us/bars", api.CryptoBars.as_view(), name="crypto-bars"),
    path("v1beta3/crypto/us/quotes", api.CryptoQuotes.as_view(), name="crypto-quotes"),
    path("v1beta3/crypto/us/trades", api.CryptoTrades.as_view(), name="crypto-trades"),
    path("v1beta3/crypto/us/snapshots", api.CryptoSnapshots.as_view(), name="crypto-snapshots"),
    re_path(
        r"^v1beta3/crypto/us/latest/(?P<kind>bars|quotes|trades|orderbooks)$",
        api.CryptoLatest.as_view(),
        name="crypto-latest",
    ),
    path("api/v1/instruments", api.InstrumentsView.as_view(), name="api-instruments"),
    path("api/v1/instruments/<path:name>", api.InstrumentView.as_view(), name="api-instrument"),
    path("watchlists", watchlists.index, name="watchlists"),
    path("watchlists/create", watchlists.create, name="watchlist-create"),
    path("watchlists/<uuid:watchlist_id>", watchlists.page, name="watchlist"),
    path("watchlists/<uuid:watchlist_id>/change", watchlists.change, name="watchlist-change"),
    path("watchlists/<uuid:watchlist_id>/copy", watchlists.copy, name="watchlist-copy"),
    path("watchlists/<uuid:watchlist_id>/delete", watchlists.delete, name="watchlist-delete"),
    path("calendar", calendar.page, name="market-calendar"),
    path("instruments", instruments.search, name="instruments"),
    path("instruments/<path:symbol>", instruments.detail, name="instrument"),
]
