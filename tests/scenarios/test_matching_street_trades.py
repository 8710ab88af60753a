"""When the street trades at or through orders: rule M2 of docs/matching.md, on both books."""

import pytest

from tests.reference.books import BOOKS
from tests.reference.market import Market


@pytest.fixture(params=list(BOOKS))
def market(request: pytest.FixtureRequest) -> Market:
    return Market(BOOKS[request.param]())


def test_street_trade_through_a_bid_fills_it_whatever_stood_ahead(market: Market) -> None:
    market.quote(bids="100x4")
    market.place("alice-1", "BUY 5 @ 100")

    assert market.street_trade("SELL 3 @ 99") == ["alice-1 3 @ 100 leaves 2"]
    assert market.queue == ["alice-1 BUY 2 @ 100 ahead 4"]
    assert market.bids == "100x6"


def test_street_trade_through_an_offer_fills_it(market: Market) -> None:
    market.place("alice-1", "SELL 5 @ 100")

    assert market.street_trade("BUY 9 @ 101") == ["alice-1 5 @ 100 leaves 0"]
    assert market.asks == ""


def test_street_trade_at_the_price_first_takes_what_stands_ahead(market: Market) -> None:
    market.quote(bids="100x4")
    market.place("alice-1", "BUY 5 @ 100")

    assert market.street_trade("SELL 3 @ 100") == []
    assert market.queue == ["alice-1 BUY 5 @ 100 ahead 1"]

    assert market.street_trade("SELL 3 @ 100") == ["alice-1 2 @ 100 leaves 3"]
    assert market.queue == ["alice-1 BUY 3 @ 100 ahead 0"]


def test_street_trade_of_exactly_what_stands_ahead_fills_nothing(market: Market) -> None:
    market.quote(asks="100x4")
    market.place("alice-1", "SELL 5 @ 100")

    assert market.street_trade("BUY 4 @ 100") == []
    assert market.queue == ["alice-1 SELL 5 @ 100 ahead 0"]

    assert market.street_trade("BUY 1 @ 100") == ["alice-1 1 @ 100 leaves 4"]


def test_street_between_two_orders_takes_its_part_of_a_street_trade(market: Market) -> None:
    market.quote(bids="100x2")
    market.place("alice-1", "BUY 5 @ 100")
    market.quote(bids="100x6")
    market.place("charlie-1", "BUY 5 @ 100")

    fills = market.street_trade("SELL 10 @ 100")

    assert fills == ["alice-1 5 @ 100 leaves 0"]
    assert market.queue == ["charlie-1 BUY 5 @ 100 ahead 1"]


def test_street_trade_counts_what_passed_once_for_all_orders_behind(market: Market) -> None:
    market.quote(bids="100x4")
    market.place("alice-1", "BUY 2 @ 100")
    market.place("charlie-1", "BUY 2 @ 100")

    fills = market.street_trade("SELL 7 @ 100")

    assert fills == ["alice-1 2 @ 100 leaves 0", "charlie-1 1 @ 100 leaves 1"]
    assert market.queue == ["charlie-1 BUY 1 @ 100 ahead 0"]


def test_street_trade_moves_orders_up_that_it_did_not_get_down_to(market: Market) -> None:
    market.quote(bids="100x2")
    market.place("alice-1", "BUY 5 @ 100")
    market.quote(bids="100x6")
    market.place("charlie-1", "BUY 5 @ 100")

    assert market.street_trade("SELL 1 @ 100") == []

    assert market.queue == ["alice-1 BUY 5 @ 100 ahead 1", "charlie-1 BUY 5 @ 100 ahead 5"]


def test_street_trade_fills_better_prices_before_its_own(market: Market) -> None:
    market.quote(bids="100x4")
    market.place("alice-1", "BUY 5 @ 100")
    market.place("charlie-1", "BUY 2 @ 101")

    fills = market.street_trade("SELL 8 @ 100")

    assert fills == ["charlie-1 2 @ 101 leaves 0", "alice-1 2 @ 100 leaves 3"]


def test_street_trade_leaves_worse_prices_and_the_other_side_alone(market: Market) -> None:
    market.quote(bids="99x4")
    market.place("alice-1", "BUY 5 @ 99")
    market.place("charlie-1", "SELL 5 @ 101")

    assert market.street_trade("SELL 9 @ 100") == []
    assert market.street_trade("BUY 9 @ 100") == []

    assert market.queue == ["alice-1 BUY 5 @ 99 ahead 4", "charlie-1 SELL 5 @ 101 ahead 0"]


def test_street_trade_leaves_the_displayed_street_to_the_next_quote(market: Market) -> None:
    market.quote(bids="100x4")
    market.place("alice-1", "BUY 5 @ 100")

    market.street_trade("SELL 6 @ 100")

    assert market.bids == "100x7"
    assert market.takeable("SELL 99 MARKET") == (7, 700)


def test_street_trade_in_an_empty_book_does_nothing(market: Market) -> None:
    assert market.street_trade("SELL 6 @ 100") == []
    assert (market.bids, market.asks) == ("", "")
