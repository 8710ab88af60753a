"""Unmodified alpaca-py closes positions, sets the account and looks back at what it did."""

from decimal import Decimal
from typing import Any

import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.models import AccountConfiguration, Order, PortfolioHistory, TradeActivity
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetPortfolioHistoryRequest,
    MarketOrderRequest,
)

from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-account")
    return live_portal.create_key("alice-account")


@pytest.fixture
def trading(live_portal: LivePortal, key: Key) -> TradingClient:
    return TradingClient(key.key_id, key.secret, url_override=live_portal.url)


def buy(trading: TradingClient, symbol: str, quantity: float) -> None:
    is_crypto = "/" in symbol
    trading.submit_order(
        MarketOrderRequest(
            symbol=symbol,
            qty=quantity,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.GTC if is_crypto else TimeInForce.DAY,
        )
    )


def test_alpaca_py_closes_positions_and_reads_its_fills(trading: TradingClient) -> None:
    buy(trading, "AAPL", 4)
    buy(trading, "BTC/USD", 0.01)

    half = trading.close_position("AAPL", ClosePositionRequest(percentage="50"))
    rest = trading.close_all_positions(cancel_orders=True)

    assert isinstance(half, Order)
    assert (half.filled_qty, half.side) == ("2", OrderSide.SELL)
    assert sorted((entry.symbol, entry.status) for entry in rest) == [
        ("AAPL", 200),
        ("BTCUSD", 200),
    ]
    assert trading.get_all_positions() == []
    rows: list[dict[str, Any]] = trading.get("/account/activities/FILL", {"page_size": 100})
    fills = [TradeActivity(**row) for row in rows]
    assert {fill.symbol for fill in fills} == {"AAPL", "BTC/USD"}
    sold = [fill for fill in fills if fill.order_id == half.id]
    assert sum(Decimal(str(fill.qty)) for fill in sold) == 2


def test_alpaca_py_suspends_and_resumes_trading(trading: TradingClient) -> None:
    usual = trading.get_account_configurations()
    assert isinstance(usual, AccountConfiguration)

    suspended = trading.set_account_configurations(usual.model_copy(update={"suspend_trade": True}))

    assert suspended.suspend_trade is True
    with pytest.raises(Exception, match="suspended"):
        buy(trading, "AAPL", 1)
    assert trading.set_account_configurations(usual) == usual
    buy(trading, "AAPL", 1)
    trading.close_all_positions()


def test_alpaca_py_reads_the_portfolio_history(trading: TradingClient) -> None:
    history = trading.get_portfolio_history(
        GetPortfolioHistoryRequest(period="1D", timeframe="5Min")
    )

    assert isinstance(history, PortfolioHistory)
    assert history.timeframe == "5Min"
    assert len(history.timestamp) == len(history.equity) == len(history.profit_loss)
