"""The data API: who may read, what is refused, and how pages follow each other."""

from datetime import datetime, timedelta

import pytest
from django.http import QueryDict
from django.test import Client

from marketdata.api.params import Query
from marketdata.models import Instrument
from tests.marketdata.data_api import Get, add_minutes, get, market

__all__ = ["get", "market"]


@pytest.mark.parametrize(
    "path",
    ["/v2/clock", "/v2/calendar", "/v2/assets", "/v2/assets/AAPL", "/v2/stocks/snapshots"],
)
def test_strangers_read_no_stock_data(market: dict[str, Instrument], path: str) -> None:
    response = Client().get(path, {"symbols": "AAPL"})

    assert response.status_code == 401
    assert response.json()["code"] == 40110000


def test_crypto_prices_need_no_key(market: dict[str, Instrument]) -> None:
    response = Client().get("/v1beta3/crypto/us/latest/quotes", {"symbols": "BTC/USD"})

    assert response.status_code == 200
    assert response.json() == {"quotes": {}}


def test_wrong_key_is_refused_even_where_none_is_needed(market: dict[str, Instrument]) -> None:
    response = Client().get(
        "/v1beta3/crypto/us/latest/quotes",
        {"symbols": "BTC/USD"},
        headers={"APCA-API-KEY-ID": "PK000000000000000000", "APCA-API-SECRET-KEY": "x" * 43},
    )

    assert response.status_code == 401


@pytest.mark.parametrize("name", ["BTC/USD", "BTC%2FUSD", "BTCUSD"])
def test_pair_is_found_by_each_spelling(get: Get, name: str) -> None:
    asset = get(f"/v2/assets/{name}").json()

    assert asset["symbol"] == "BTC/USD"
    assert asset["exchange"] == "CRYPTO"
    assert asset["min_order_size"] == "0.0001"
    assert asset["price_increment"] == "0.01"
    assert asset["fractionable"] is True


def test_asset_is_found_by_its_id(get: Get, market: dict[str, Instrument]) -> None:
    asset = get(f"/v2/assets/{market['IBM'].public_id}").json()

    assert asset["symbol"] == "IBM"
    assert asset["exchange"] == ""


def test_unknown_asset_is_not_found(get: Get) -> None:
    response = get("/v2/assets/NOPE")

    assert response.status_code == 404
    assert response.json()["code"] == 40410000


def test_halted_instrument_is_not_tradable(get: Get, market: dict[str, Instrument]) -> None:
    Instrument.objects.filter(symbol="IBM").update(status="HALTED")

    tradable = {asset["symbol"]: asset["tradable"] for asset in get("/v2/assets").json()}

    assert tradable == {"AAPL": True, "BTC/USD": True, "IBM": False}


def test_assets_are_filtered_by_class(get: Get) -> None:
    assets = get("/v2/assets", asset_class="crypto", status="active").json()

    assert [asset["symbol"] for asset in assets] == ["BTC/USD"]


def test_market_is_open_until_midnight_and_from_then_on(get: Get) -> None:
    clock = get("/v2/clock").json()

    assert clock["is_open"] is True
    timestamp = datetime.fromisoformat(clock["timestamp"])
    midnight = datetime.fromisoformat(clock["next_close"])
    assert clock["next_open"] == clock["next_close"]
    assert midnight.time().isoformat() == "00:00:00"
    assert timedelta(0) < midnight - timestamp <= timedelta(days=1)


def test_every_day_is_a_trading_day(get: Get) -> None:
    days = get("/v2/calendar", start="2026-02-28", end="2026-03-01").json()

    assert days == [
        {"date": "2026-02-28", "open": "00:00", "close": "23:59"},
        {"date": "2026-03-01", "open": "00:00", "close": "23:59"},
    ]


def test_pages_run_through_symbols_and_time(get: Get, market: dict[str, Instrument]) -> None:
    add_minutes(market["AAPL"], 3)
    add_minutes(market["IBM"], 2)
    query = {
        "symbols": "IBM,AAPL,NOPE",
        "timeframe": "1Min",
        "start": "2026-03-02T00:00:00Z",
        "end": "2026-03-02T01:00:00+00:00",
        "limit": 2,
    }

    seen: list[list[tuple[str, float]]] = []
    token = None
    while True:
        page = get("/v2/stocks/bars", **query, **({"page_token": token} if token else {})).json()
        seen.append([(symbol, bar["c"]) for symbol, bars in page["bars"].items() for bar in bars])
        token = page["next_page_token"]
        if token is None:
            break

    assert seen == [
        [("AAPL", 100), ("AAPL", 101)],
        [("AAPL", 102), ("IBM", 100)],
        [("IBM", 101)],
    ]


def test_newest_first_pages_run_backwards(get: Get, market: dict[str, Instrument]) -> None:
    add_minutes(market["AAPL"], 4)
    query = {
        "symbols": "AAPL",
        "timeframe": "1Min",
        "start": "2026-03-02",
        "end": "2026-03-03",
        "sort": "desc",
        "limit": 3,
    }

    first = get("/v2/stocks/bars", **query).json()
    second = get("/v2/stocks/bars", **query, page_token=first["next_page_token"]).json()

    assert [bar["c"] for bar in first["bars"]["AAPL"]] == [103, 102, 101]
    assert [bar["c"] for bar in second["bars"]["AAPL"]] == [100]
    assert second["next_page_token"] is None


def test_longer_bars_are_made_of_whole_minutes(get: Get, market: dict[str, Instrument]) -> None:
    add_minutes(market["AAPL"], 7)

    page = get(
        "/v2/stocks/bars",
        symbols="AAPL",
        timeframe="5Min",
        start="2026-03-02T00:00:00Z",
        end="2026-03-02T00:30:00Z",
    ).json()

    assert page["bars"]["AAPL"] == [
        {
            "t": "2026-03-02T00:00:00Z",
            "o": 100,
            "h": 106,
            "l": 99,
            "c": 104,
            "v": 50,
            "n": 10,
            "vw": 102.5,
        },
        {
            "t": "2026-03-02T00:05:00Z",
            "o": 105,
            "h": 108,
            "l": 104,
            "c": 106,
            "v": 20,
            "n": 4,
            "vw": 106,
        },
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"timeframe": "1Min"}, "symbols"),
        ({"symbols": "AAPL"}, "timeframe"),
        ({"symbols": "AAPL", "timeframe": "7Days"}, "timeframe"),
        ({"symbols": "AAPL", "timeframe": "1Min", "limit": "1_000"}, "limit"),
        ({"symbols": "AAPL", "timeframe": "1Min", "limit": "0"}, "limit"),
        ({"symbols": "AAPL", "timeframe": "1Min", "limit": "00"}, "limit"),
        ({"symbols": "AAPL", "timeframe": "1Min", "limit": "-1"}, "limit"),
        ({"symbols": "AAPL", "timeframe": "1Min", "limit": "１０"}, "limit"),
        ({"symbols": "AAPL", "timeframe": "1Min", "start": "yesterday"}, "start"),
        ({"symbols": "AAPL", "timeframe": "1Min", "start": "2026-13-01"}, "start"),
        ({"symbols": "AAPL", "timeframe": "1Min", "sort": "up"}, "sort"),
        ({"symbols": "AAPL", "timeframe": "1Min", "page_token": "!"}, "page_token"),
        ({"symbols": "AAPL", "timeframe": "1Min", "page_token": "YWJj"}, "page_token"),
        ({"symbols": "AAPL", "timeframe": "1Min", "tiemframe": "1Day"}, "tiemframe"),
    ],
)
def test_doubtful_query_is_refused_by_name(get: Get, query: dict[str, str], names: str) -> None:
    response = get("/v2/stocks/bars", **query)

    assert response.status_code == 400
    assert response.json()["code"] == 40010001
    assert names in response.json()["message"]


@pytest.mark.parametrize("limit", ["10001", "12000", "1000000000", "9" * 400])
def test_more_than_a_page_is_a_page(limit: str) -> None:
    """ccxt asks for 12000 trades; what does not fit is on the pages after it."""
    assert Query(QueryDict(f"limit={limit}"), ("limit",)).limit() == 10_000


def test_openapi_describes_every_route(db: None) -> None:
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]

    assert {
        "/v2/clock",
        "/v2/calendar",
        "/v2/assets",
        "/v2/assets/{name}",
        "/v2/stocks/bars",
        "/v2/stocks/trades",
        "/v2/stocks/snapshots",
        "/v2/stocks/{kind}/latest",
        "/v1beta3/crypto/us/bars",
        "/v1beta3/crypto/us/trades",
        "/v1beta3/crypto/us/snapshots",
        "/v1beta3/crypto/us/latest/{kind}",
    } <= set(paths)
