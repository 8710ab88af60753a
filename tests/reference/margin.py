"""Margin accounts as docs/fees-and-margin.md has them (L1 to L8), in fractions, added up anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from orders.domain import commands
from tests.reference.fees import fee_on

if TYPE_CHECKING:
    from tests.reference.state import Order, ReferenceState, Terms


@dataclass
class Margin:
    """Which accounts are margin accounts, and what they may."""

    multipliers: dict[int, int] = field(default_factory=dict)
    shorting: set[int] = field(default_factory=set)
    long_only: set[int] = field(default_factory=set)
    called: set[int] = field(default_factory=set)
    """Who is called (L9)."""

    def is_on(self, account: object) -> bool:
        return self.multiplier(account) > 1

    def multiplier(self, account: object) -> int:
        return self.multipliers.get(account, 1) if isinstance(account, int) else 1


def up(amount: Fraction) -> Fraction:
    return Fraction(ceil(amount * 10**8), 10**8)


def mark(state: ReferenceState, terms: Terms) -> Fraction | None:
    """L2, in money."""
    book = state.books[terms.symbol]
    bids, asks = (list(book._displayed(side, state.now_ns)) for side in ("BUY", "SELL"))
    if bids and asks:
        return Fraction(bids[0] + asks[0], 2) * terms.tick
    last = state.elections.last.get(terms.symbol)
    return None if last is None else last[0] * terms.tick


def value(state: ReferenceState, account: object, terms: Terms) -> Fraction:
    holding, price = state.holding(account, terms.symbol), mark(state, terms)
    if price is None:
        return holding.cost
    return Fraction(floor(holding.lots * terms.lot * price * 10**8), 10**8)


def initial_share(state: ReferenceState, account: object, terms: Terms, is_short: bool) -> Fraction:
    """L3."""
    if "/" in terms.symbol:
        return Fraction(1)
    share = Fraction(1, state.margin.multiplier(account))
    return max(share, Fraction(1, 2)) if is_short else share


def excess(state: ReferenceState, account: object) -> Fraction:
    """L3."""
    left = state.cash[account] - state.locked_cash(account)
    for terms in state.terms:
        worth = value(state, account, terms)
        left += worth - up(abs(worth) * initial_share(state, account, terms, worth < 0))
    return left


def opens(state: ReferenceState, account: int, terms: Terms, side: str) -> bool:
    """L4; in a cash account every buy opens."""
    lots = state.holding(account, terms.symbol).lots
    if not state.margin.is_on(account):
        return side == "BUY"
    return lots >= 0 if side == "BUY" else lots <= 0


def why_not(state: ReferenceState, order: Order, notional: Fraction) -> str | None:
    """The reason against an order of a margin account; else it is told what it holds."""
    account, terms, short = order.account, order.terms, order.side == "SELL"
    if not order.opens:
        held = abs(state.holding(account, terms.symbol).lots)
        free = held - state.locked_lots(account, terms.symbol)
        return "POSITION_INSUFFICIENT" if order.quantity > free else None
    if account in state.margin.called:
        return "MARGIN_CALLED"
    if short and (account not in state.margin.shorting or account in state.margin.long_only):
        return "POSITION_INSUFFICIENT"
    if short and "/" in terms.symbol:
        return "NOT_SHORTABLE"
    others = [other for other in state.open_orders(account) if other.terms is terms and other.opens]
    if any(other.side != order.side for other in others):
        return "OPENING_ORDERS_MIXED"
    order.share = initial_share(state, account, terms, short)
    if short and (order.limit or order.stop):
        price, named = mark(state, terms), order.limit or order.stop or 0
        order.basis = named if price is None else max(named, ceil(price / terms.tick))
        notional = order.basis * terms.tick * order.quantity * terms.lot
    required = up(notional * order.share) + fee_on(notional, order.fee_cap)
    return "FUNDS_INSUFFICIENT" if required > max(excess(state, account), 0) else None


def set_margin(state: ReferenceState, command: commands.SetMargin) -> str:
    """L1."""
    account, wanted = command.account_id, command.multiplier
    if account not in state.cash_accounts:
        return "ACCOUNT_UNKNOWN"
    if wanted not in (1, 2, 4) or (wanted == 1 and command.is_shorting_enabled):
        return "MARGIN_INVALID"
    if state.open_orders(account):
        return "MARGIN_ORDERS_OPEN"
    is_short = any(state.holding(account, terms.symbol).lots < 0 for terms in state.terms)
    if is_short and not command.is_shorting_enabled:
        return "MARGIN_IN_USE"
    if wanted == 1 and state.cash[account] < 0:
        return "MARGIN_IN_USE"
    state.margin.multipliers[account] = wanted
    state.margin.shorting.discard(account)
    if command.is_shorting_enabled:
        state.margin.shorting.add(account)
    return "DONE"
