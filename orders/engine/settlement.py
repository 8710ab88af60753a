"""Money and quantity of a fill: holds, balances, positions and the ledger transfer, exact to the
unit.

A buy holds cash at its limit and pays the maker's price; a sell holds quantity. Every trade is one
transfer from buyer to seller, every fee one from the trader to the house, so the ledger sums to
zero by construction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec

from orders.domain.order_class import Leg
from orders.domain.values import Liquidity, Side
from orders.engine.state import Account, EngineState, OrderState
from orders.engine.step import Step
from portfolio.domain.fees import fee_of
from portfolio.domain.margin import WHOLE, share_of
from portfolio.domain.positions import apply_fill
from portfolio.domain.rows import TransferRow


class Trade(msgspec.Struct, frozen=True, gc=False):
    """Price in ticks, quantity in lots; `id` is the number of the trade's first execution."""

    id: int
    price: int
    quantity: int


def place_hold(step: Step, order: OrderState) -> None:
    """Set aside what the order may use: cash (opening: H3, L6) or quantity (closing: L5)."""
    if order.leg is Leg.STOP_LOSS and Leg.TAKE_PROFIT in step.state.group_of(order):
        return  # the pair has one hold, its take profit's
    _place(step, order, _held_for(order, order.quantity))


def keep_hold(step: Step, order: OrderState) -> None:
    """A held leg sets aside what its predecessor held: nothing, for a new one."""
    if order.hold:
        _place(step, order, order.hold)


def _place(step: Step, order: OrderState, amount: int) -> None:
    order.hold = order.hold_placed = amount
    _lock(order, amount)
    _note_hold(step, order)


def holder_in(group: Mapping[Leg, OrderState]) -> OrderState | None:
    """The order that holds the quantity which the legs of a group may trade."""
    return group.get(Leg.TAKE_PROFIT) or group.get(Leg.STOP_LOSS)


def holder_for(state: EngineState, order: OrderState) -> OrderState:
    """The order itself, or the one of its pair that holds for both."""
    if order.leg is not Leg.STOP_LOSS:
        return order
    return holder_in(state.group_of(order)) or order


def pass_hold(step: Step, order: OrderState, heir: OrderState) -> None:
    """`heir` holds from now on what `order` held."""
    heir.hold = heir.hold_placed = order.hold
    order.hold = 0
    _note_hold(step, order)
    _note_hold(step, heir)


def _hold_for_legs(step: Step, entry: OrderState, lots: int) -> None:
    """What an entry fills is set aside for its legs at once."""
    holder = holder_in(step.state.group_of(entry))
    assert holder is not None
    holder.hold += lots
    holder.hold_placed = holder.hold
    _lock(holder, lots)
    _note_hold(step, holder)


def _held_for(order: OrderState, lots: int) -> int:
    """What so many lots of the order hold: quantity, or what opening them may need at most."""
    if not order.is_opening:
        return lots
    price = order.hold_price or order.limit_price
    assert price is not None
    notional = price * lots * order.instrument.value_units
    fee = fee_of(notional, order.fee_rate)
    if order.margin_percent != WHOLE:
        return share_of(notional, order.margin_percent) + fee
    return notional + fee


def _lock(order: OrderState, amount: int) -> None:
    """Set `amount` of the account's cash or position aside; below zero, free it."""
    if order.is_opening:
        order.account.balance.lock(amount)
    else:
        position = order.account.position(order.instrument.id)
        position.locked += amount
        assert position.locked >= 0


def _note_hold(step: Step, order: OrderState) -> None:
    if order.is_opening:
        step.changes.balance(order.account)
    else:
        step.changes.position(order.account, order.instrument)
    step.changes.holds[order.id] = order


@contextmanager
def hold_given_back(order: OrderState) -> Iterator[None]:
    """Within it the account's means are as if the order held nothing; what is asked of them in
    there changes nothing (R1).
    """
    _lock(order, -order.hold)
    try:
        yield
    finally:
        _lock(order, order.hold)


def release_hold(step: Step, order: OrderState) -> None:
    """Void what the order still holds."""
    if order.hold:
        _reduce_hold(step, order, order.hold)


def release_prevented(step: Step, order: OrderState) -> None:
    """Give back what was held for a part that will not trade, counted as prevented already."""
    if order.hold:
        _reduce_hold(step, order, order.hold - _held_for(order, order.leaves))


def lower_hold(step: Step, order: OrderState) -> None:
    """Give back what the order no longer asks for, now that its quantity is less: it is as if that
    never was part of it.
    """
    order.hold_placed = _held_for(order, order.quantity)
    _reduce_hold(step, order, order.hold - _held_for(order, order.leaves))


def _reduce_hold(step: Step, order: OrderState, amount: int) -> None:
    order.hold -= amount
    _lock(order, -amount)
    _note_hold(step, order)


def settle_order(step: Step, order: OrderState, trade: Trade, liquidity: Liquidity) -> int:
    """One order's side of a trade, already counted in its `filled`: its hold is posted, cash and
    position move, the fee is paid. Returns the fee.
    """
    account, instrument = order.account, order.instrument
    if account.is_margin:
        step.state.to_judge[account.id] = account
    notional = trade.price * trade.quantity * instrument.value_units
    is_buy = order.side is Side.BUY
    if order.hold:
        # What is left needs; the fee of the whole may be a unit more than the sum of its parts.
        _reduce_hold(step, order, order.hold - _held_for(order, order.leaves))
    account.balance.move(-notional if is_buy else notional)
    fee = _charge(step, order, trade, notional, liquidity) if order.fee_rate else 0
    apply_fill(
        account.position(instrument.id), trade.quantity if is_buy else -trade.quantity, notional
    )
    step.changes.balance(account)
    step.changes.position(account, instrument)
    if order.leg is Leg.ENTRY:
        _hold_for_legs(step, order, trade.quantity)
    return fee


def _charge(
    step: Step, order: OrderState, trade: Trade, notional: int, liquidity: Liquidity
) -> int:
    """The fee of a fill, from the trader to the house (H2), at no more than the order's rate."""
    account, tier = order.account, order.account.tier
    rate = tier.maker if liquidity is Liquidity.MAKER else tier.taker
    fee = fee_of(notional, min(rate, order.fee_rate))
    if not fee:
        return 0
    house = step.state.accounts[step.state.house_id]
    account.balance.pay_fee(fee)
    house.balance.move(fee)
    step.changes.balance(house)
    _transfer(step, "FEE", account, house, fee, trade.id)
    return fee


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
    amount = trade.price * trade.quantity * order.instrument.value_units
    _transfer(step, "TRADE", buyer, seller, amount, trade.id)


def _transfer(
    step: Step, kind: str, payer: Account, payee: Account, amount: int, trade_id: int
) -> None:
    step.state.transfer_number += 1
    step.changes.transfers.append(
        TransferRow(
            id=step.state.transfer_number,
            kind=kind,
            debit_account_id=payer.id,
            credit_account_id=payee.id,
            currency=payer.currency,
            amount_units=amount,
            trade_id=trade_id,
            reason="",
            occurred_ns=step.now_ns,
        )
    )
