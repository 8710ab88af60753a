"""Finding instruments by what somebody types: order, filters, pages, and what is not found."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from marketdata.models import Currency, Instrument, Venue
from marketdata.selectors.search import MOST_A_PAGE, Search, search_instruments
from tests.marketdata.test_watchlists import keys
from tests.orders.pages.asked import JSON

pytestmark = pytest.mark.django_db

MARKET = {
    "A": "Agilent Technologies",
    "AA": "Alcoa Corporation",
    "AAPL": "Apple Inc.",
    "BAC": "Bank of America Corporation",
    "BK": "The Bank of New York (Mellon)",
    "KO": "The Coca-Cola Company",
    "PINE": "Alpine Income 100% Trust",
    "SO.A": "Southern Apple",
}


@pytest.fixture
def market() -> None:
    usd = Currency.objects.create(code="USD", name="US dollar")
    venues = [
        Venue.objects.create(code=code, name=name, kind=Venue.Kind.SIMULATED)
        for code, name in (("SIM", "Simulated"), ("XNYS", "New York"))
    ]
    for symbol, name in {**MARKET, "BTC/USD": "Bitcoin"}.items():
        Instrument.objects.create(
            symbol=symbol, name=name, venue=venues[symbol == "KO"], quote_currency=usd,
            asset_class="crypto" if "/" in symbol else "us_equity",
            tick_size=Decimal("0.01"), lot_size=Decimal(1),
        )  # fmt: skip


def found(text: str, **more: Any) -> list[str]:  # Any: the members of a search
    return [row.symbol for row in search_instruments(Search(text, **more)).instruments]


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("a", ["A", "AA", "AAPL", "BAC", "PINE", "SO.A"]),
        ("AA", ["AA", "AAPL"]),
        ("apple", ["AAPL", "SO.A"]),
        ("app in", ["AAPL"]),
        ("bank new", ["BK"]),
        ("cola", ["KO"]),
        ("mellon", ["BK"]),
        ("btcu", ["BTC/USD"]),
        ("btc/usd", ["BTC/USD"]),
        ("BTCUSD", ["BTC/USD"]),
        ("so.a", ["SO.A"]),
        ("ola", []),
        ("zzz", []),
        ("100%", ["PINE"]),
        ("%", []),
        ("_", []),
        ("/", []),
        ("a & | !", ["A", "AA", "AAPL", "BAC", "PINE", "SO.A"]),
        (".*", []),
        ("\\", []),
        ("(mellon", ["BK"]),
    ],
)
def test_symbols_come_first_then_words_of_names(
    market: None, text: str, symbols: list[str]
) -> None:
    assert found(text) == symbols


def test_nothing_typed_finds_everything_by_symbol(market: None) -> None:
    assert found("  ") == sorted([*MARKET, "BTC/USD"])


def test_a_class_and_a_venue_narrow_what_is_found(market: None) -> None:
    assert found("", asset_class="crypto") == ["BTC/USD"]
    assert found("", venue="XNYS") == ["KO"]
    assert found("a", venue="XNYS") == []


def test_pages_meet_without_a_gap_or_a_repetition(market: None) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = search_instruments(Search("a", limit=2, after=after))
        seen += [row.symbol for row in page.instruments]
        after = page.next

    assert seen == found("a")


@pytest.mark.parametrize("after", ["nonsense", "9:AAPL", "1:", ":AAPL"])
def test_a_page_begins_only_where_another_ended(market: None, after: str) -> None:
    with pytest.raises(ValueError, match="end of a page"):
        search_instruments(Search("a", after=after))


def test_one_page_is_one_statement_and_has_a_limit(
    market: None, django_assert_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_num_queries(1):
        page = search_instruments(Search("", limit=10_000))
        assert [row.venue.name for row in page.instruments].count("New York") == 1
    assert MOST_A_PAGE == 100


# --- The page


@pytest.fixture
def signed_in(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


def test_a_stranger_signs_in_first(market: None, client: Client) -> None:
    assert client.get("/instruments")["Location"].startswith("/accounts/sign-in")


def test_the_page_shows_what_was_found_and_leads_on(market: None, signed_in: Client) -> None:
    shown = signed_in.get("/instruments", {"q": "coca"}).content.decode()

    assert "/instruments/KO" in shown
    assert "/instruments/AAPL" not in shown
    assert 'value="coca"' in shown


def test_the_page_says_when_nothing_is_found(market: None, signed_in: Client) -> None:
    answer = signed_in.get("/instruments", {"q": "<zzz>"})

    assert "Nothing trades here under “&lt;zzz&gt;”" in answer.content.decode()


def test_the_quick_search_offers_a_few(market: None, signed_in: Client) -> None:
    answer = signed_in.get("/instruments", {"q": "btc"}, headers=JSON)

    assert answer.json() == {
        "items": [{"symbol": "BTC/USD", "name": "Bitcoin", "url": "/instruments/BTC/USD"}]
    }


@pytest.mark.parametrize(
    "query", [{"after": "nonsense"}, {"q": "x" * 200}, {"asset_class": "bonds"}, {"q": "a\0"}]
)
def test_what_cannot_be_read_breaks_nothing(
    market: None, signed_in: Client, query: dict[str, str]
) -> None:
    assert signed_in.get("/instruments", query).status_code in {200, 400}


# --- The API


def test_the_api_searches_by_pages(market: None, alice: User) -> None:
    client = Client(headers=keys(alice, Scope.READ))
    path = "/api/v1/instruments"

    first = client.get(path, {"q": "aa", "limit": 1}).json()
    second = client.get(path, {"q": "aa", "limit": 1, "page_token": first["next_page_token"]})

    assert [row["symbol"] for row in first["instruments"]] == ["AA"]
    assert [row["symbol"] for row in second.json()["instruments"]] == ["AAPL"]
    assert second.json()["next_page_token"] is None
    assert first["instruments"][0]["tick_size"] == "0.01"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"page_token": "nonsense"}, "page_token"),
        ({"asset_class": "bonds"}, "asset_class"),
        ({"limit": "0"}, "limit"),
        ({"q": "x" * 65}, "q"),
    ],
)
def test_the_api_refuses_what_it_cannot_read(
    market: None, alice: User, query: dict[str, str], parameter: str
) -> None:
    client = Client(headers=keys(alice, Scope.READ))

    answer = client.get("/api/v1/instruments", query)

    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


def test_the_api_needs_a_key(market: None, client: Client) -> None:
    assert client.get("/api/v1/instruments").status_code == 401
    assert client.get("/api/v1/instruments/AAPL").status_code == 401
