"""Trades and quotes of the past: exact pages, the newest from the live cache, and their plans."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, pairwise
from typing import Any

import pytest
from django.db import connection

from marketdata.models import Feed, Instrument, TickDay
from marketdata.selectors import quotes_in, trades_in
from marketdata.services.partitions import ensure_days
from tests.marketdata.data_api import (
    DAY,
    Get,
    LiveCache,
    get,
    live,
    market,
    source,
    store_quotes,
    store_trades,
)

__all__ = ["get", "live", "market", "source"]

pytestmark = pytest.mark.django_db
Market = dict[str, Instrument]
STOCK_TRADES = "/v2/stocks/trades"
WINDOW = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T01:00:00Z"}


def pages(get: Get, path: str, kind: str, **query: str | int) -> Iterator[list[tuple[str, Any]]]:
    """Each page as (symbol, item), until there is none after it."""
    token: dict[str, str] = {}
    while True:
        page = get(path, **WINDOW, **query, **token).json()
        yield [(symbol, item) for symbol, items in page[kind].items() for item in items]
        if page["next_page_token"] is None:
            return
        token = {"page_token": page["next_page_token"]}


def numbers(page: list[tuple[str, Any]]) -> list[tuple[str, int]]:
    return [(symbol, item["i"]) for symbol, item in page]


@pytest.mark.parametrize("limit", range(1, 9))
def test_pages_lose_and_repeat_nothing_of_one_instant(
    get: Get, market: Market, source: Feed, live: LiveCache, limit: int
) -> None:
    store_trades(market["AAPL"], source, (1, 1), (1, 2), (1, 3), (1, 4), (2, 1))
    store_trades(market["IBM"], source, (1, 7), (1, 8))
    every = [("AAPL", n) for n in (1, 2, 3, 4, 1)] + [("IBM", 7), ("IBM", 8)]

    found = [
        numbers(page)
        for page in pages(get, STOCK_TRADES, "trades", symbols="IBM,AAPL,NOPE", limit=limit)
    ]

    assert [*chain(*found)] == every
    assert all(len(page) == limit for page in found[:-1])


@pytest.mark.parametrize("limit", range(1, 7))
def test_newest_first_pages_run_backwards_through_an_instant(
    get: Get, market: Market, source: Feed, live: LiveCache, limit: int
) -> None:
    store_trades(market["AAPL"], source, (1, 1), (1, 2), (1, 3), (2, 1), (2, 2))

    found = [
        numbers(page)
        for page in pages(get, STOCK_TRADES, "trades", symbols="AAPL", limit=limit, sort="desc")
    ]

    assert [number for _, number in [*chain(*found)]] == [2, 1, 3, 2, 1]


def test_a_stored_trade_is_told_whole(get: Get, market: Market, source: Feed) -> None:
    store_trades(market["AAPL"], source, (1, 5))
    store_trades(market["BTC/USD"], source, (1, 5))

    stock = get(STOCK_TRADES, symbols="AAPL", **WINDOW).json()
    pair = get("/v1beta3/crypto/us/trades", symbols="BTCUSD", **WINDOW).json()

    told = {"t": "2026-03-02T00:00:01Z", "p": 100.05, "s": 1, "i": 5, "feed": "tape"}
    assert stock == {
        "trades": {"AAPL": [told | {"x": "V", "c": ["@"], "z": "C"}]},
        "next_page_token": None,
    }
    assert pair["trades"] == {"BTC/USD": [told | {"tks": "B"}]}


def test_stored_quotes_are_told_whole_and_in_pages(get: Get, market: Market, source: Feed) -> None:
    store_quotes(market["AAPL"], source, (1, 1), (1, 2), (3, 3))

    found = list(pages(get, "/v2/stocks/quotes", "quotes", symbols="AAPL", limit=2))

    assert [[quote["bp"] for _, quote in page] for page in found] == [[100.01, 100.02], [100.03]]
    assert found[0][0][1] == {
        "t": "2026-03-02T00:00:01Z",
        "bp": 100.01, "bs": 2, "ap": 100.03, "as": 1,
        "bx": "V", "ax": "V", "c": ["R"], "z": "C",
        "feed": "tape",
    }  # fmt: skip
    store_quotes(market["BTC/USD"], source, (1, 1))
    pair = get("/v1beta3/crypto/us/quotes", symbols="BTC/USD", **WINDOW).json()
    assert [quote["bp"] for quote in pair["quotes"]["BTC/USD"]] == [100.01]


def test_one_stock_is_read_by_its_address(get: Get, market: Market, source: Feed) -> None:
    store_trades(market["AAPL"], source, (1, 1), (2, 2))
    store_quotes(market["AAPL"], source, (1, 1))

    first = get("/v2/stocks/AAPL/trades", **WINDOW, limit=1).json()
    second = get("/v2/stocks/AAPL/trades", **WINDOW, page_token=first["next_page_token"]).json()
    quotes = get("/v2/stocks/AAPL/quotes", **WINDOW).json()

    assert (first["symbol"], [trade["i"] for trade in first["trades"]]) == ("AAPL", [1])
    assert [trade["i"] for trade in second["trades"]] == [2]
    assert second["next_page_token"] is None
    assert len(quotes["quotes"]) == 1
    assert get("/v2/stocks/IBM/trades", **WINDOW).json()["trades"] == []
    for path in ("/v2/stocks/NOPE/trades", "/v2/stocks/BTCUSD/trades"):
        assert get(path, **WINDOW).status_code == 404


# --- the newest


def test_trades_that_are_not_stored_yet_come_from_the_live_cache_once(
    get: Get, market: Market, source: Feed, live: LiveCache
) -> None:
    store_trades(market["AAPL"], source, (1, 1), (2, 2), (3, 3))
    for second, number in ((2, 2), (3, 3), (3, 4), (4, 5)):
        live.trade("AAPL", second, number)

    for limit in range(1, 7):
        found = list(pages(get, STOCK_TRADES, "trades", symbols="AAPL", limit=limit))
        assert [number for _, number in numbers([*chain(*found)])] == [1, 2, 3, 4, 5]
    backwards = pages(get, STOCK_TRADES, "trades", symbols="AAPL", limit=2, sort="desc")
    assert [number for _, number in numbers([*chain(*backwards)])] == [5, 4, 3, 2, 1]


def test_no_page_has_a_hole_between_the_store_and_the_cache(
    get: Get, market: Market, source: Feed, live: LiveCache
) -> None:
    """The store works and is behind; the newest wait for it, and come when it has caught up."""
    store_trades(market["AAPL"], source, (1, 1))
    for number in range(3, 53):
        live.trade("AAPL", number, number)

    behind = get(STOCK_TRADES, symbols="AAPL", **WINDOW).json()
    store_trades(market["AAPL"], source, (2, 2), (3, 3))
    caught_up = get(STOCK_TRADES, symbols="AAPL", **WINDOW).json()

    assert [trade["i"] for trade in behind["trades"]["AAPL"]] == [1]
    assert [trade["i"] for trade in caught_up["trades"]["AAPL"]] == [*range(1, 53)]


def test_a_store_that_keeps_nothing_holds_nothing_back(
    get: Get, market: Market, live: LiveCache
) -> None:
    for number in range(1, 51):
        live.trade("AAPL", number, number)

    page = get(STOCK_TRADES, symbols="AAPL", **WINDOW).json()

    assert [trade["i"] for trade in page["trades"]["AAPL"]] == [*range(1, 51)]


# --- what the database does for a page


def plan_of(monkeypatch: pytest.MonkeyPatch, read: Any, *arguments: Any, **more: Any) -> str:
    """The plan of the statement that a selector makes."""
    plans: list[str] = []
    execute = connection.cursor().__class__.execute

    def explain(cursor: Any, statement: str, values: Any = None) -> Any:
        execute(cursor, f"EXPLAIN (COSTS OFF) {statement}", values)
        plans.append("\n".join(row[0] for row in cursor.fetchall()))
        return execute(cursor, statement, values)

    with monkeypatch.context() as patch:
        patch.setattr(connection.cursor().__class__, "execute", explain)
        read(*arguments, **more)
    return plans[0]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    ("read", "table", "day_table"),
    [
        (trades_in, "marketdata_trade", TickDay.Table.TRADE),
        (quotes_in, "marketdata_quote", TickDay.Table.QUOTE),
    ],
)
def test_a_page_reads_one_day_by_its_index_without_sorting(
    market: Market, monkeypatch: pytest.MonkeyPatch,
    read: Any, table: str, day_table: TickDay.Table, newest_first: bool,
) -> None:  # fmt: skip
    days = [DAY.date() + timedelta(days=number) for number in range(3)]
    ensure_days(day_table, days)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # the tables are empty here
    end = DAY + timedelta(hours=23)
    after = (DAY + timedelta(hours=12), 5)

    for key in (None, after):
        plan = plan_of(monkeypatch, read, market["AAPL"].pk, DAY, end, 10_001, newest_first, key)

        assert "Sort" not in plan, plan
        assert "Index Scan" in plan, plan
        assert [f"{table}_p{day:%Y%m%d}" in plan for day in days] == [True, False, False], plan


def test_pages_in_any_size_are_the_same_trades(
    get: Get, market: Market, source: Feed, live: LiveCache
) -> None:
    """Over midnight, too: the next day is another partition."""
    store_trades(market["AAPL"], source, *[(86_390 + n // 3, n) for n in range(60)])
    window = {"start": "2026-03-02T23:00:00Z", "end": "2026-03-03T01:00:00Z"}

    whole = get(STOCK_TRADES, symbols="AAPL", **window, limit=10_000).json()["trades"]["AAPL"]

    assert [trade["i"] for trade in whole] == [*range(60)]
    assert all(one["t"] <= other["t"] for one, other in pairwise(whole))
