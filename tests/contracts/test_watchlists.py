"""Unmodified alpaca-py, and ccxt where it knows watchlists, keep the caller's lists."""

from typing import Any
from uuid import UUID

import ccxt
import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.models import Watchlist
from alpaca.trading.requests import CreateWatchlistRequest, UpdateWatchlistRequest

from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-watchlists")
    return live_portal.create_key("alice-watchlists")


@pytest.fixture
def trading(live_portal: LivePortal, key: Key) -> TradingClient:
    return TradingClient(key.key_id, key.secret, url_override=live_portal.url)


def symbols(watchlist: Any) -> list[str]:  # Any: a model of alpaca-py, or its raw data
    assert isinstance(watchlist, Watchlist)
    return [asset.symbol for asset in watchlist.assets or []]


def test_alpaca_py_makes_fills_and_deletes_a_list(trading: TradingClient) -> None:
    made = trading.create_watchlist(CreateWatchlistRequest(name="Mine", symbols=["AAPL"]))
    assert isinstance(made, Watchlist)

    added = trading.add_asset_to_watchlist_by_id(made.id, "BTC/USD")
    read = trading.get_watchlist_by_id(made.id)
    removed = trading.remove_asset_from_watchlist_by_id(made.id, "BTC/USD")
    changed = trading.update_watchlist_by_id(
        made.id, UpdateWatchlistRequest(name="Ours", symbols=["MSFT", "AAPL"])
    )
    listed = trading.get_watchlists()

    assert (made.name, symbols(made)) == ("Mine", ["AAPL"])
    assert symbols(added) == symbols(read) == ["AAPL", "BTC/USD"]
    assert symbols(removed) == ["AAPL"]
    assert symbols(changed) == ["MSFT", "AAPL"]
    assert [(entry.id, entry.name) for entry in listed] == [(made.id, "Ours")]
    account = trading.get_account()
    assert isinstance(made.account_id, UUID)
    assert made.account_id == account.id
    trading.delete_watchlist_by_id(made.id)
    assert trading.get_watchlists() == []


def test_alpaca_py_is_told_why_a_list_is_not_made(trading: TradingClient) -> None:
    made = trading.create_watchlist(CreateWatchlistRequest(name="Mine", symbols=[]))

    with pytest.raises(APIError) as taken:
        trading.create_watchlist(CreateWatchlistRequest(name="Mine", symbols=[]))
    with pytest.raises(APIError) as unknown:
        trading.create_watchlist(CreateWatchlistRequest(name="Other", symbols=["NOPE"]))
    trading.delete_watchlist_by_id(made.id)
    with pytest.raises(APIError) as gone:
        trading.get_watchlist_by_id(made.id)

    assert [refused.value.status_code for refused in (taken, unknown, gone)] == [422, 422, 404]
    assert "You have a watchlist named Mine already" in taken.value.message


def test_ccxt_reaches_the_same_lists_by_name(live_portal: LivePortal, key: Key) -> None:
    exchange: Any = ccxt.alpaca({"apiKey": key.key_id, "secret": key.secret})
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], live_portal.url)

    made = exchange.trader_private_post_v2_watchlists({"name": "Coins", "symbols": ["BTC/USD"]})
    listed = exchange.trader_private_get_v2_watchlists()
    named = exchange.trader_private_get_v2_watchlists_by_name({"name": "Coins"})
    exchange.trader_private_delete_v2_watchlists_watchlist_id({"watchlist_id": made["id"]})

    assert [entry["name"] for entry in listed] == ["Coins"]
    assert [asset["symbol"] for asset in named["assets"]] == ["BTC/USD"]
    assert exchange.trader_private_get_v2_watchlists() == []
