"""What people are told, as people write it: "Bought 10 AAPL at 432.10".

Pure: an event and the account's name in, a message or None (nothing worth telling) out.
"""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from core.domain.decimals import to_wire
from notifications.domain.account_events import (
    AccountEvent,
    CashPart,
    MarginCallPart,
    MarketStatePart,
    OrderPart,
    TradingStatePart,
)

MIN_PRICE_DIGITS = 2
TITLE_PRICE_DIGITS = 4
"""An average price has up to 8 digits; a headline carries 4, the body all of them."""

_DONE = {"BUY": "Bought", "SELL": "Sold"}
_TO_DO = {"BUY": "buy", "SELL": "sell"}
_ENDED = {"OrderCanceled": "canceled", "OrderExpired": "expired"}
_SWITCHED = {
    "ACTIVE": "trading is enabled again",
    "REDUCE_ONLY": "only orders that lessen a position",
    "CANCEL_ONLY": "no new orders",
    "HALTED": "trading is halted",
}
_MEANING = {
    "ACTIVE": "New orders are taken again.",
    "REDUCE_ONLY": "Only orders that lessen a position are taken.",
    "CANCEL_ONLY": "No new orders are taken; open ones can be canceled.",
    "HALTED": "No new orders are taken and all open ones are canceled.",
}
_MARKET = {
    "OPEN": "trades again",
    "HALTED": "trading is halted",
    "CANCEL_ONLY": "no new orders are taken",
    "POST_ONLY": "only orders that rest are taken",
    "AUCTION": "orders are collected for an auction",
}


@dataclass(frozen=True, slots=True)
class AccountLabel:
    """How an account is named to people. `venue` says PAPER, `is_simulated` whether prices are
    ours.
    """

    name: str
    venue: str
    is_simulated: bool

    @property
    def text(self) -> str:
        market = ", SIMULATED market" if self.is_simulated else ""
        return f"Account {self.name} ({self.venue}{market})"


@dataclass(frozen=True, slots=True)
class Message:
    title: str
    body: str
    url: str


def is_worth_telling(event: AccountEvent) -> bool:
    """Whether the account's people are told of `event`: cash that an operator moved, a switch of
    what it may trade, an order that is complete or that ended after a part of it had traded.
    """
    if event.trading_state or event.market_state or event.margin_call:
        return True
    if event.order is None:
        return event.event == "CashAdjusted" and event.cash is not None
    if is_by_operator(event):
        return True
    is_over = event.event == "OrderFilled" or event.event in _ENDED
    return is_over and event.order.filled_quantity > 0 and event.order.average_price is not None


def is_by_operator(event: AccountEvent) -> bool:
    """Whether an operator canceled the order: always told, with the reason that stands in the
    audit.
    """
    return event.order is not None and event.order.reason == "OPERATOR_REQUESTED"


def message_for(event: AccountEvent, account: AccountLabel, why: str = "") -> Message:
    """What the account's people are told of an `event` that is worth telling; `why` an operator
    canceled an order.
    """
    if event.trading_state is not None:
        return _trading_switched(event.trading_state, account)
    if event.market_state is not None:
        return _market_changed(event.market_state, account)
    if event.margin_call is not None:
        return _margin_called(event, event.margin_call, account)
    if event.order is None:
        assert event.cash is not None
        return _cash_adjusted(event, event.cash, account)
    if is_by_operator(event):
        return _order_withdrawn(event.order, account, why)
    if event.event in _ENDED:
        return _order_ended(event, event.order, account)
    return _order_filled(event, event.order, account)


def price_text(price: Decimal, max_digits: int | None = None) -> str:
    """`price` with at least two digits after the point: 432.1 → "432.10", 0.00001234 stays.

    With `max_digits`, prices of 1 and more are rounded half-even to so many digits.
    """
    if max_digits is not None and abs(price) >= 1:
        price = round(price, max_digits)
    integer, _, fraction = to_wire(price).partition(".")
    return f"{integer}.{fraction.ljust(MIN_PRICE_DIGITS, '0')}"


def money_text(amount: Decimal, currency: str) -> str:
    """`amount` as people write money: 95679 → "95,679.00 USD"."""
    integer, _, fraction = price_text(amount).partition(".")
    sign, digits = ("-", integer[1:]) if integer.startswith("-") else ("", integer)
    return f"{sign}{int(digits):,}.{fraction} {currency}"


def _order_filled(event: AccountEvent, order: OrderPart, account: AccountLabel) -> Message:
    quantity = to_wire(order.filled_quantity)
    return Message(
        title=f"{_DONE[order.side]} {quantity} {order.symbol} at {_headline_price(order)}",
        body=(f"{_order_text(order)} is complete. {_price_and_cash(event, order)} {account.text}."),
        url=_page_of(order),
    )


def _order_ended(event: AccountEvent, order: OrderPart, account: AccountLabel) -> Message:
    filled, wanted = to_wire(order.filled_quantity), to_wire(order.quantity)
    ended = _ENDED[event.event]
    return Message(
        title=(
            f"{_DONE[order.side]} {filled} of {wanted} {order.symbol}"
            f" at {_headline_price(order)}, the rest {ended}"
        ),
        body=(
            f"{_order_text(order)} {ended} after {filled} had traded."
            f" {_price_and_cash(event, order)} {account.text}."
        ),
        url=_page_of(order),
    )


def _order_withdrawn(order: OrderPart, account: AccountLabel, why: str) -> Message:
    filled = to_wire(order.filled_quantity)
    traded = f" after {filled} had traded" if order.filled_quantity else ""
    return Message(
        title=f"An operator canceled your order to {_TO_DO[order.side]}"
        f" {to_wire(order.quantity)} {order.symbol}",
        body=f"{_order_text(order)} was canceled by an operator{traded}."
        f" Reason: {why or 'none given'}. {account.text}.",
        url=_page_of(order),
    )


def _cash_adjusted(event: AccountEvent, cash: CashPart, account: AccountLabel) -> Message:
    balance = event.balance
    amount = money_text(abs(cash.amount), balance.currency)
    done = "added to" if cash.amount > 0 else "taken from"
    return Message(
        title=f"{amount} {done} your cash",
        body=(
            f"An operator adjusted your account: {cash.reason}. Cash is now"
            f" {money_text(balance.total, balance.currency)}, of which"
            f" {money_text(balance.free, balance.currency)} is free. {account.text}."
        ),
        url="/terminal",
    )


def _trading_switched(switch: TradingStatePart, account: AccountLabel) -> Message:
    canceled = f" Open orders canceled: {switch.orders}." if switch.orders else ""
    return Message(
        title=f"{switch.scope}: {_SWITCHED[switch.state]}",
        body=f"{_MEANING[switch.state]}{canceled} Reason: {switch.reason or 'none given'}."
        f" {account.text}.",
        url="/terminal",
    )


def _market_changed(market: MarketStatePart, account: AccountLabel) -> Message:
    until = f" Until {market.until} at least." if market.until else ""
    return Message(
        title=f"{market.symbol}: {_MARKET[market.state]}",
        body=f"Reason: {market.reason or 'none given'}.{until} {account.text}.",
        url=f"/terminal?{urlencode({'symbol': market.symbol})}",
    )


def _margin_called(event: AccountEvent, call: MarginCallPart, account: AccountLabel) -> Message:
    currency = event.balance.currency
    missing = money_text(call.missing, currency)
    worth = (
        f"Equity {money_text(call.equity, currency)}, required"
        f" {money_text(call.maintenance, currency)}. {account.text}."
    )
    if event.event == "MarginCallMet":
        return Message("Margin call met", worth, "/terminal")
    if event.event == "ForcedClosingStarted":
        return Message("Positions are being closed by force", worth, "/terminal")
    return Message(
        title=f"Margin call: {missing} missing until {call.deadline}",
        body=f"Close positions or deposit cash, or they are closed by force. {worth}",
        url="/terminal",
    )


def _order_text(order: OrderPart) -> str:
    return (
        f"Your {order.type.lower()} order to {_TO_DO[order.side]}"
        f" {to_wire(order.quantity)} {order.symbol}"
    )


def _price_and_cash(event: AccountEvent, order: OrderPart) -> str:
    price = price_text(order.average_price or Decimal(0))
    cash = money_text(event.balance.free, event.balance.currency)
    return f"Average price {price}, cash left {cash}."


def _headline_price(order: OrderPart) -> str:
    return price_text(order.average_price or Decimal(0), TITLE_PRICE_DIGITS)


def _page_of(order: OrderPart) -> str:
    """The order's own page; the terminal for an event that names no order."""
    return f"/orders/{order.id}" if order.id else f"/terminal?{urlencode({'symbol': order.symbol})}"
