"""The newest of everything: with provenance and age, and what there is not said as such."""

from datetime import timedelta

import pytest

from core.domain.clock import FixedClock
from marketdata.api.base import DataView
from marketdata.models import Instrument
from tests.marketdata.data_api import DAY, Get, LiveCache, add_minutes, get, live, market

__all__ = ["get", "live", "market"]

pytestmark = pytest.mark.django_db
T = "2026-03-02T00:00:01.500000Z"
QUOTE = {"bid": "10.01", "bid_size": "3", "ask": "10.02", "ask_size": "4", "t": T, "feed": "tape"}
BAR = {
    "t": "2026-03-02T00:00:00Z", "o": "1", "h": "2", "l": "1", "c": "2", "v": "5", "n": 3,
    "vw": None, "closed": False, "feed": "tape",
}  # fmt: skip
BOOK = {"bids": [["10.01", "3"]], "asks": [], "state": "OPEN", "t": T}


@pytest.fixture(autouse=True)
def _two_seconds_past_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DataView, "clock", FixedClock(DAY + timedelta(seconds=2)))


def test_each_newest_price_has_its_source_and_its_age(
    get: Get, market: dict[str, Instrument], live: LiveCache
) -> None:
    live.keep("quote:AAPL", QUOTE)
    live.keep("bar:AAPL:1Min", BAR)
    live.keep("book:AAPL", BOOK)
    live.trade("AAPL", 1, 7)

    quotes = get("/v2/stocks/quotes/latest", symbols="AAPL,IBM", feed="sip").json()
    trades = get("/v2/stocks/trades/latest", symbols="AAPL").json()
    bars = get("/v2/stocks/bars/latest", symbols="AAPL").json()
    books = get("/v2/stocks/orderbooks/latest", symbols="AAPL").json()

    assert list(quotes["quotes"]) == ["AAPL"]
    quote = quotes["quotes"]["AAPL"]
    assert (quote["bp"], quote["as"], quote["feed"], quote["age_ms"]) == (10.01, 4, "tape", 500)
    assert trades["trades"]["AAPL"]["age_ms"] == 1000
    assert (bars["bars"]["AAPL"]["age_ms"], bars["bars"]["AAPL"]["vw"]) == (2000, None)
    assert books["orderbooks"]["AAPL"] == {
        "t": "2026-03-02T00:00:01.500000Z", "b": [{"p": 10.01, "s": 3}], "a": [],
        "feed": "engine", "age_ms": 500,
    }  # fmt: skip


def test_a_quote_that_nobody_renewed_says_so_itself(
    get: Get, market: dict[str, Instrument], live: LiveCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.keep("quote:AAPL", QUOTE)
    live.keep("quote:BTC/USD", QUOTE | {"stale": True})
    five = DAY + timedelta(seconds=6.5)

    asked = {}
    for name, now in (("at five", five), ("later", five + timedelta(milliseconds=1))):
        monkeypatch.setattr(DataView, "clock", FixedClock(now))
        asked[name] = get("/v2/stocks/quotes/latest", symbols="AAPL").json()["quotes"]["AAPL"]
    snapshot = get("/v2/stocks/AAPL/snapshot").json()
    told = get("/v1beta3/crypto/us/latest/quotes", symbols="BTC/USD").json()

    assert (asked["at five"]["age_ms"], "stale" in asked["at five"]) == (5000, False)
    assert (asked["later"]["age_ms"], asked["later"]["stale"]) == (5001, True)
    assert snapshot["latestQuote"]["stale"] is True
    assert told["quotes"]["BTC/USD"]["stale"] is True


def test_a_price_from_the_future_is_not_younger_than_now(
    get: Get, market: dict[str, Instrument], live: LiveCache
) -> None:
    live.trade("AAPL", 3600, 7)

    trade = get("/v2/stocks/trades/latest", symbols="AAPL").json()["trades"]["AAPL"]

    assert trade["age_ms"] == 0


def test_the_newest_of_one_stock_is_read_by_its_address(
    get: Get, market: dict[str, Instrument], live: LiveCache
) -> None:
    live.keep("quote:AAPL", QUOTE)
    live.keep("book:AAPL", BOOK)

    quote = get("/v2/stocks/AAPL/quotes/latest").json()
    book = get("/v2/stocks/AAPL/orderbooks/latest").json()

    assert (quote["symbol"], quote["quote"]["ap"]) == ("AAPL", 10.02)
    assert (book["symbol"], book["orderbook"]["b"]) == ("AAPL", [{"p": 10.01, "s": 3}])
    for path in ("/v2/stocks/AAPL/trades/latest", "/v2/stocks/NOPE/quotes/latest"):
        assert get(path).status_code == 404


def test_a_snapshot_before_the_first_trade_says_null(
    get: Get, market: dict[str, Instrument], live: LiveCache
) -> None:
    nothing = dict.fromkeys(("latestTrade", "latestQuote", "minuteBar", "dailyBar", "prevDailyBar"))

    many = get("/v2/stocks/snapshots", symbols="AAPL,NOPE").json()
    one = get("/v2/stocks/AAPL/snapshot").json()
    pair = get("/v1beta3/crypto/us/snapshots", symbols="BTC/USD").json()

    assert many == {"AAPL": nothing}
    assert one == {"symbol": "AAPL"} | nothing
    assert pair == {"snapshots": {"BTC/USD": nothing}}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"feed": "nasdaq"}, "feed"),
        ({"currency": "EUR"}, "currency"),
        ({"adjustment": "raw"}, "adjustment"),
        ({"symbols": ""}, "symbols"),
        ({"symbols": ",,"}, "symbols"),
        ({"symbols": ",".join(f"A{n}" for n in range(201))}, "symbols"),
    ],
)
def test_what_the_newest_prices_are_not_asked_by_is_refused(
    get: Get, query: dict[str, str], named: str
) -> None:
    response = get("/v2/stocks/quotes/latest", **({"symbols": "AAPL"} | query))

    assert response.status_code == 400
    assert named in response.json()["message"]


@pytest.mark.parametrize("feed", ["iex", "sip", "delayed_sip", "otc", "boats", "overnight", "SIP"])
@pytest.mark.parametrize("adjustment", ["raw", "split", "dividend", "all"])
def test_every_feed_and_adjustment_of_the_dialect_is_known(
    get: Get, market: dict[str, Instrument], feed: str, adjustment: str
) -> None:
    add_minutes(market["AAPL"], 1)
    query = {"asof": "2026-03-02", "currency": "USD", "timeframe": "1Min", "start": "2026-03-02"}

    page = get(
        "/v2/stocks/AAPL/bars", **query, end="2026-03-03", feed=feed, adjustment=adjustment
    ).json()

    assert [bar["c"] for bar in page["bars"]] == [100]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"adjustment": "halves"}, "adjustment"),
        ({"feed": "nasdaq"}, "feed"),
        ({"asof": "never"}, "asof"),
        ({"currency": "BTC"}, "currency"),
        ({"timeframe": "90Min"}, "timeframe"),
        ({"symbols": "AAPL"}, "symbols"),
    ],
)
def test_what_bars_are_not_asked_by_is_refused(
    get: Get, market: dict[str, Instrument], query: dict[str, str], named: str
) -> None:
    response = get("/v2/stocks/AAPL/bars", **({"timeframe": "1Min"} | query))

    assert response.status_code == 400
    assert named in response.json()["message"]
