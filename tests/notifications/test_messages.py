"""What people are told, word by word."""

from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest

from notifications.domain.account_events import AccountEvent, read_account_event
from notifications.domain.messages import (
    AccountLabel,
    is_worth_telling,
    message_for,
    money_text,
    price_text,
)
from notifications.domain.retries import MAX_ATTEMPTS, PAUSES, retry_pause
from tests.notifications.conftest import order_view

LABEL = AccountLabel(name="Demo", venue="PAPER", is_simulated=True)


def event(
    kind: str,
    order: dict[str, object] | None,
    free: str = "95679",
    cash: dict[str, object] | None = None,
    trading_state: dict[str, object] | None = None,
    market_state: dict[str, object] | None = None,
    margin_call: dict[str, object] | None = None,
) -> AccountEvent:
    payload = {
        "event": kind,
        "account_id": str(uuid4()),
        "order": order,
        "balance": {"currency": "USD", "total": "100000", "locked": "1", "free": free},
        "cash": cash,
        "trading_state": trading_state,
        "market_state": market_state,
        "margin_call": margin_call,
    }
    return read_account_event(msgspec.json.encode(payload).decode())


def test_a_complete_fill_is_told_with_price_and_cash() -> None:
    order = order_view()

    message = message_for(event("OrderFilled", order), LABEL)

    assert message.title == "Bought 10 AAPL at 432.10"
    assert message.body == (
        "Your market order to buy 10 AAPL is complete. Average price 432.10, cash left"
        " 95,679.00 USD. Account Demo (PAPER, SIMULATED market)."
    )
    assert message.url == f"/orders/{order['id']}"


def test_a_long_average_price_is_short_in_the_headline_and_whole_in_the_body() -> None:
    order = order_view(
        id="",
        side="SELL",
        symbol="BTC/USD",
        average_price="64123.12345678",
        filled_quantity="0.015",
    )

    message = message_for(event("OrderFilled", order), LABEL)

    assert message.title == "Sold 0.015 BTC/USD at 64123.1235"
    assert "Average price 64123.12345678" in message.body
    assert message.url == "/terminal?symbol=BTC%2FUSD"


@pytest.mark.parametrize(
    ("kind", "ended"), [("OrderCanceled", "canceled"), ("OrderExpired", "expired")]
)
def test_an_order_that_ended_half_done_says_what_was_done(kind: str, ended: str) -> None:
    order = order_view(filled_quantity="4", type="LIMIT", average_price="432")

    message = message_for(event(kind, order), LABEL)

    assert message.title == f"Bought 4 of 10 AAPL at 432.00, the rest {ended}"
    assert f"Your limit order to buy 10 AAPL {ended} after 4 had traded." in message.body


@pytest.mark.parametrize("kind", ["OrderCanceled", "OrderExpired"])
def test_an_order_that_ended_untouched_is_not_told(kind: str) -> None:
    order = order_view(filled_quantity="0", average_price=None)

    assert not is_worth_telling(event(kind, order))


@pytest.mark.parametrize("kind", ["OrderAccepted", "OrderPartiallyFilled", "CashDeposited"])
def test_other_events_are_not_told(kind: str) -> None:
    assert not is_worth_telling(event(kind, order_view()))


@pytest.mark.parametrize(("amount", "done"), [("250.5", "added to"), ("-250.5", "taken from")])
def test_an_adjustment_says_how_much_and_why(amount: str, done: str) -> None:
    cash = {"amount": amount, "reason": "fee refund"}

    message = message_for(event("CashAdjusted", None, "99999.5", cash), LABEL)

    assert message.title == f"250.50 USD {done} your cash"
    assert "adjusted your account: fee refund. Cash is now 100,000.00 USD" in message.body
    assert "of which 99,999.50 USD is free" in message.body


@pytest.mark.parametrize(
    ("number", "text"),
    [("432.1", "432.10"), ("5", "5.00"), ("0.00001234", "0.00001234"), ("0", "0.00")],
)
def test_prices_have_at_least_two_digits(number: str, text: str) -> None:
    assert price_text(Decimal(number)) == text


def test_money_is_grouped_and_keeps_its_sign() -> None:
    assert money_text(Decimal("-1234567.5"), "USD") == "-1,234,567.50 USD"


def test_pauses_grow_to_a_day_and_then_end() -> None:
    plain = [retry_pause(attempts, 0) for attempts in range(1, MAX_ATTEMPTS + 1)]

    assert plain == [*PAUSES, None]
    assert retry_pause(1, 20) == PAUSES[0] * 1.2


def test_a_switch_of_trading_is_told_with_what_it_canceled() -> None:
    switch = {"scope": "This account", "state": "HALTED", "reason": "runaway", "orders": 3}

    message = message_for(event("TradingHalted", None, trading_state=switch), LABEL)

    assert message.title == "This account: trading is halted"
    assert message.body == (
        "No new orders are taken and all open ones are canceled. Open orders canceled: 3."
        " Reason: runaway. Account Demo (PAPER, SIMULATED market)."
    )


def test_a_market_that_changes_by_itself_is_told_with_its_end() -> None:
    market = {
        "symbol": "AAPL", "state": "AUCTION", "until": "2026-03-02T15:32:00Z", "reason": "a split",
    }  # fmt: skip

    message = message_for(event("MarketStateChanged", None, market_state=market), LABEL)

    assert message.title == "AAPL: orders are collected for an auction"
    assert message.body == (
        "Reason: a split. Until 2026-03-02T15:32:00Z at least. Account Demo (PAPER, SIMULATED"
        " market)."
    )
    assert message.url == "/terminal?symbol=AAPL"


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("MarginCalled", "Margin call: 8.75 USD missing until 2026-03-02T16:30:00Z"),
        ("ForcedClosingStarted", "Positions are being closed by force"),
        ("MarginCallMet", "Margin call met"),
    ],
)
def test_a_margin_call_is_told_with_amount_and_deadline(kind: str, title: str) -> None:
    call = {
        "equity": "160", "maintenance": "168.75", "missing": "8.75",
        "deadline": "2026-03-02T16:30:00Z", "reason": None,
    }  # fmt: skip

    message = message_for(event(kind, None, margin_call=call), LABEL)

    assert message.title == title
    assert message.body.endswith(
        "Equity 160.00 USD, required 168.75 USD. Account Demo (PAPER, SIMULATED market)."
    )
