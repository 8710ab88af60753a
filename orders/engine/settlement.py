"""Money and quantity of a fill: holds, balances, positions and the ledger transfer, exact to the
unit.

A buy holds cash at its limit and pays the maker's price; a sell holds quantity. Every trade is one
transfer from buyer to seller, so the ledger sums to zero by construction.
"""

from typing import NamedTuple

from orders.domain.values import Side
from orders.engine.state import Account, OrderState
from orders.engine.step import Step
from portfolio.domain.positions import apply_fill
from portfolio.domain.rows import TransferRow


class Trade(NamedTuple):
    """Price in ticks, quantity in lots; `id` is the number of the trade's first execution."""

    id: int
    price: int
    quantity: int


def place_hold(step: Step, order: OrderState) -> None:
    """Set aside what the order may use: cash at the limit price (buy) or quantity (sell)."""
    if order.side is Side.BUY:
        assert order.limit_price is not None
        order.hold = order.limit_price * order.quantity * order.instrument.value_units
        order.account.balance.lock(order.hold)
        step.changes.balance(order.account)
    else:
        order.hold = order.quantity
        order.account.position(order.instrument.id).locked += order.hold
        step.changes.position(order.account, order.instrument)
    order.hold_placed = order.hold
    step.changes.holds[order.id] = order


def release_hold(step: Step, order: OrderState) -> None:
    """Void what the order still holds."""
    if order.hold:
        _reduce_hold(step, order, order.hold)


def _reduce_hold(step: Step, order: OrderState, amount: int) -> None:
    order.hold -= amount
    if order.side is Side.BUY:
        order.account.balance.lock(-amount)
        step.changes.balance(order.account)
    else:
        position = order.account.position(order.instrument.id)
        position.locked -= amount
        assert position.locked >= 0
        step.changes.position(order.account, order.instrument)
    step.changes.holds[order.id] = order


def settle_order(step: Step, order: OrderState, trade: Trade) -> None:
    """One order's side of a trade: its hold is posted, cash and position move."""
    account, instrument = order.account, order.instrument
    notional = trade.price * trade.quantity * instrument.value_units
    is_buy = order.side is Side.BUY
    if order.hold:
        held = trade.quantity
        if is_buy:
            assert order.limit_price is not None
            held = order.limit_price * trade.quantity * instrument.value_units
        _reduce_hold(step, order, held)
    account.balance.move(-notional if is_buy else notional)
    apply_fill(
        account.position(instrument.id), trade.quantity if is_buy else -trade.quantity, notional
    )
    step.changes.balance(account)
    step.changes.position(account, instrument)


def settle_street(step: Step, order: OrderState, street: Account, trade: Trade) -> None:
    """The street's side of a trade with `order`."""
    instrument = order.instrument
    notional = trade.price * trade.quantity * instrument.value_units
    is_buy = order.side is Side.BUY
    street.balance.move(notional if is_buy else -notional)
    apply_fill(
        street.position(instrument.id), -trade.quantity if is_buy else trade.quantity, notional
    )
    step.changes.balance(street)
    step.changes.position(street, instrument)


def transfer_trade(step: Step, order: OrderState, other: Account, trade: Trade) -> None:
    """The ledger's row of one trade: from the buyer to the seller."""
    buyer, seller = (order.account, other) if order.side is Side.BUY else (other, order.account)
    step.state.transfer_number += 1
    step.changes.transfers.append(
        TransferRow(
            id=step.state.transfer_number,
            kind="TRADE",
            debit_account_id=buyer.id,
            credit_account_id=seller.id,
            currency=order.account.currency,
            amount_units=trade.price * trade.quantity * order.instrument.value_units,
            trade_id=trade.id,
            reason="",
            occurred_ns=step.now_ns,
        )
    )
