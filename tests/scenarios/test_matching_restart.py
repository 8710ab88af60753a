"""Orders that come back after a restart: rule Q5 of docs/matching.md, on both books."""

import pytest

from tests.reference.books import BOOKS
from tests.reference.market import Market


@pytest.fixture(params=list(BOOKS))
def market(request: pytest.FixtureRequest) -> Market:
    return Market(BOOKS[request.param]())


def test_restart_keeps_time_order_and_lets_no_order_overtake_the_street(market: Market) -> None:
    market.place("charlie-1", "SELL 3 @ 101")
    market.place("dave-1", "SELL 3 @ 101")
    market.place("dave-2", "SELL 1 @ 100")

    market.restart()
    assert market.asks == "100x1 101x6"
    assert market.street_trade("BUY 50 @ 101") == ["dave-2 1 @ 100 leaves 0"]
    market.quote(asks="101x4")

    assert market.queue == ["charlie-1 SELL 3 @ 101 ahead 4", "dave-1 SELL 3 @ 101 ahead 4"]
    assert market.place("alice-1", "BUY 8 @ 101") == [
        "4 @ 101 street",
        "3 @ 101 charlie-1 leaves 0",
        "1 @ 101 dave-1 leaves 2",
        "filled",
    ]


def test_order_without_a_street_trades_at_once_after_a_restart(market: Market) -> None:
    market.place("charlie-1", "SELL 3 @ 101")
    market.restart()

    assert market.place("alice-1", "BUY 2 @ 101") == ["2 @ 101 charlie-1 leaves 1", "filled"]
    assert market.cancel("charlie-1") == 1


def test_order_restored_away_from_the_street_has_nothing_ahead(market: Market) -> None:
    market.quote(asks="101x9")
    market.place("charlie-1", "SELL 3 @ 101")
    market.restart()

    market.quote(asks="102x9")

    assert market.queue == ["charlie-1 SELL 3 @ 101 ahead 0"]
