"""Queries made to break the data API: each is refused, or answered as if it were an honest one."""

import base64
from typing import Any

import pytest
from django.http import HttpResponse

from core.domain.errors import Refusal
from marketdata.api.paging import Cursor, page_token, read_page_token
from marketdata.models import Feed, Instrument
from tests.marketdata.data_api import DAY, Get, get, market, source, store_trades

__all__ = ["get", "market", "source"]

pytestmark = pytest.mark.django_db
WINDOW = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T01:00:00Z"}


def token_of(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(raw).decode()


BAD_TOKENS = {
    "nothing inside": token_of(""),
    "no parts": token_of("AAPL"),
    "two parts": token_of("AAPL|2026-03-02T00:00:00+00:00"),
    "four parts": token_of("AAPL|2026-03-02T00:00:00+00:00|1|1"),
    "no time": token_of("AAPL|yesterday|1"),
    "a time without offset": token_of("AAPL|2026-03-02T00:00:00|1"),
    "a time beyond the calendar": token_of("AAPL|9999-12-31T23:59:59-23:59|1"),
    "no number": token_of("AAPL|2026-03-02T00:00:00+00:00|x"),
    "a number with underscores": token_of("AAPL|2026-03-02T00:00:00+00:00|1_0"),
    "a number in other digits": token_of("AAPL|2026-03-02T00:00:00+00:00|１"),
    "a number beyond 64 bits": token_of(f"AAPL|2026-03-02T00:00:00+00:00|{2**63}"),
    "a number of many digits": token_of("AAPL|2026-03-02T00:00:00+00:00|" + "9" * 150),
    "bytes that are no text": token_of(b"\xff\xfe|\x00|1"),
    "not base64": "%%%",
    "base64 with rubbish in it": "QUFQ\nTHw=",
    "half a token": token_of("AAPL|2026-03-02T00:00:00+00:00|1")[:-3],
    "a megabyte": "A" * 1_000_000,
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_token_that_is_none_of_ours_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_page_token(BAD_TOKENS[name])

    assert refused.value.status == 400
    assert "page_token" in refused.value.message


@pytest.mark.parametrize("number", [0, 1, -1, 2**63 - 1])
def test_a_token_carries_its_cursor_exactly(number: int) -> None:
    cursor = Cursor("BTC/USD", DAY.replace(microsecond=1), number)

    assert read_page_token(page_token(cursor)) == cursor


def test_a_token_reaches_nothing_beyond_its_query(
    get: Get, market: dict[str, Instrument], source: Feed
) -> None:
    """Made by hand, for another symbol or a time before the window: it never widens the query."""
    store_trades(market["AAPL"], source, (1, 1), (10, 2))
    store_trades(market["IBM"], source, (1, 3))
    late = {"start": "2026-03-02T00:00:05Z", "end": "2026-03-02T01:00:00Z"}

    def found(token: str, **query: str) -> dict[str, list[int]]:
        page = get("/v2/stocks/trades", **late, page_token=token, **query).json()
        return {symbol: [one["i"] for one in ones] for symbol, ones in page["trades"].items()}

    early = token_of("AAPL|2026-03-01T00:00:00+00:00|0")
    other = token_of("IBM|2026-03-02T00:00:00+00:00|0")
    beyond = token_of("AAPL|2027-01-01T00:00:00+00:00|0")
    assert found(early, symbols="AAPL") == {"AAPL": [2]}
    assert found(other, symbols="AAPL") == {}
    assert found(beyond, symbols="AAPL") == {}
    assert found(beyond, symbols="AAPL", sort="desc") == {"AAPL": [2]}
    assert found(early, symbols="AAPL", sort="desc") == {}


HOSTILE: dict[str, dict[str, Any]] = {
    "no symbols": {"symbols": ""},
    "commas alone": {"symbols": ","},
    "too many symbols": {"symbols": ",".join(f"S{n}" for n in range(201))},
    "a symbol twice as a parameter": {"symbols": ["AAPL", "IBM"]},
    "NUL": {"symbols": "AA\0PL"},
    "a limit of zero": {"limit": "0"},
    "a negative limit": {"limit": "-5"},
    "a limit with a fraction": {"limit": "1.5"},
    "a limit in words": {"limit": "all"},
    "a limit with an exponent": {"limit": "1e3"},
    "two limits": {"limit": ["1", "2"]},
    "an end before the start": {"start": "2026-03-03", "end": "2026-03-02"},
    "a day that is none": {"start": "2026-02-30"},
    "a year of five digits": {"start": "10000-01-01"},
    "a time before the calendar": {"start": "0001-01-01T00:00:00+14:00"},
    "a sort that is none": {"sort": "sideways"},
    "an unknown name": {"symbol": "AAPL"},
    "a feed that is none": {"feed": "' OR 1=1"},
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["trades", "quotes"])
def test_a_hostile_query_is_refused(
    get: Get, market: dict[str, Instrument], kind: str, name: str
) -> None:
    response: HttpResponse = get(f"/v2/stocks/{kind}", **({"symbols": "AAPL"} | HOSTILE[name]))

    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("application/")


@pytest.mark.parametrize(
    "symbols",
    ["'; DROP TABLE marketdata_trade; --", "AAPL,AAPL,AAPL", "../../etc", "A" * 5_000, "ＡＡＰＬ"],
)
def test_odd_symbols_find_what_is_named_so_and_nothing_else(
    get: Get, market: dict[str, Instrument], source: Feed, symbols: str
) -> None:
    store_trades(market["AAPL"], source, (1, 1))

    page = get("/v2/stocks/trades", symbols=symbols, **WINDOW).json()

    assert set(page["trades"]) <= {"AAPL"}
    assert all(len(trades) == 1 for trades in page["trades"].values())
    assert page["next_page_token"] is None


@pytest.mark.parametrize(
    "start",
    [
        "2026-03-02",
        "2026-03-02T00:00:00Z",
        "2026-03-02T00:00:00+00:00",
        "2026-03-02T00:00:00.000Z",
        "2026-03-02T00:00:00.000000001Z",
        "2026-03-01T19:00:00-05:00",
        "2026-03-02 00:00:00+00:00",
        "2026-03-02T00:00:00",
    ],
)
def test_every_spelling_of_a_time_is_that_time(
    get: Get, market: dict[str, Instrument], source: Feed, start: str
) -> None:
    store_trades(market["AAPL"], source, (0, 1), (1, 2))

    page = get("/v2/stocks/trades", symbols="AAPL", start=start, end="2026-03-02T00:00:00Z").json()

    assert [trade["i"] for trade in page["trades"]["AAPL"]] == [1]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_prices_are_read_only(get: Get, market: dict[str, Instrument], method: str) -> None:
    response = get("/v2/stocks/AAPL/trades", via=method)

    assert response.status_code == 405
