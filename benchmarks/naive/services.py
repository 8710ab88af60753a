"""Placing and canceling under row locks: instrument first, then accounts by number, then orders.

The instrument's lock makes matching serial per instrument, as it must be; other instruments go on.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import F, QuerySet

from benchmarks.naive.models import Account, Instrument, LedgerEntry, Order, Position, Trade

BUY, SELL = Order.Side.BUY, Order.Side.SELL


class Refused(Exception):
    """The order may not pass."""


@dataclass(frozen=True, slots=True)
class OrderInput:
    symbol: str
    client_order_id: str
    side: str
    quantity: Decimal
    limit_price: Decimal


@transaction.atomic
def place_order(account_id: int, data: OrderInput) -> Order:
    """Check, reserve, match and store one order."""
    try:
        instrument = Instrument.objects.select_for_update().get(symbol=data.symbol)
    except Instrument.DoesNotExist:
        raise Refused(f"asset {data.symbol} not found") from None
    if data.limit_price % instrument.tick_size:
        raise Refused("limit_price is off the tick")
    if Order.objects.filter(account_id=account_id, client_order_id=data.client_order_id).exists():
        raise Refused("client_order_id must be unique")
    account = Account.objects.select_for_update().get(pk=account_id)
    _reserve(account, instrument, data)
    order = Order.objects.create(
        account=account,
        instrument=instrument,
        client_order_id=data.client_order_id,
        side=data.side,
        quantity=data.quantity,
        limit_price=data.limit_price,
    )
    for maker in _crossing(order):
        _trade(order, maker)
        if order.filled_quantity == order.quantity:
            break
    if order.filled_quantity:
        _store_progress(order)
    return order


@transaction.atomic
def cancel_order(account_id: int, order_id: int) -> None:
    """Take an open order out of the book and give back what it holds."""
    order = Order.objects.filter(pk=order_id, account_id=account_id).first()
    if order is None:
        raise Refused("order not found")
    Instrument.objects.select_for_update().get(pk=order.instrument_id)
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.status != Order.Status.OPEN:
        raise Refused("the order is not open")
    leaves = order.quantity - order.filled_quantity
    if order.side == BUY:
        Account.objects.filter(pk=account_id).update(
            locked=F("locked") - leaves * order.limit_price
        )
    else:
        _position(account_id, order.instrument_id).update(locked=F("locked") - leaves)
    order.status = Order.Status.CANCELED
    order.save(update_fields=["status", "updated_at"])


def _reserve(account: Account, instrument: Instrument, data: OrderInput) -> None:
    if data.side == BUY:
        notional = data.quantity * data.limit_price
        if account.cash - account.locked < notional:
            raise Refused("insufficient balance")
        account.locked += notional
        account.save(update_fields=["locked"])
        return
    position = _position(account.pk, instrument.pk).select_for_update().first()
    if position is None or position.quantity - position.locked < data.quantity:
        raise Refused("insufficient qty available for order")
    position.locked += data.quantity
    position.save(update_fields=["locked"])


def _crossing(order: Order) -> QuerySet[Order]:
    """Open orders on the other side that this one reaches, best price and oldest first."""
    others = (
        Order.objects.select_for_update()
        .filter(instrument_id=order.instrument_id, status=Order.Status.OPEN)
        .exclude(account_id=order.account_id)
    )
    if order.side == BUY:
        return others.filter(side=SELL, limit_price__lte=order.limit_price).order_by(
            "limit_price", "id"
        )[:100]
    return others.filter(side=BUY, limit_price__gte=order.limit_price).order_by(
        "-limit_price", "id"
    )[:100]


def _trade(order: Order, maker: Order) -> None:
    """One fill at the maker's price: both orders, cash, positions, trade and ledger."""
    quantity = min(order.quantity - order.filled_quantity, maker.quantity - maker.filled_quantity)
    order.filled_quantity += quantity
    maker.filled_quantity += quantity
    _store_progress(maker)
    buy, sell = (order, maker) if order.side == BUY else (maker, order)
    notional = quantity * maker.limit_price
    trade = Trade.objects.create(
        buy_order=buy, sell_order=sell, price=maker.limit_price, quantity=quantity
    )
    Account.objects.filter(pk=buy.account_id).update(
        cash=F("cash") - notional, locked=F("locked") - quantity * buy.limit_price
    )
    Account.objects.filter(pk=sell.account_id).update(cash=F("cash") + notional)
    _position(sell.account_id, order.instrument_id).update(
        quantity=F("quantity") - quantity, locked=F("locked") - quantity
    )
    if not _position(buy.account_id, order.instrument_id).update(quantity=F("quantity") + quantity):
        Position.objects.create(
            account_id=buy.account_id, instrument_id=order.instrument_id, quantity=quantity
        )
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(account_id=buy.account_id, trade=trade, amount=-notional),
            LedgerEntry(account_id=sell.account_id, trade=trade, amount=notional),
        ]
    )


def _store_progress(order: Order) -> None:
    if order.filled_quantity == order.quantity:
        order.status = Order.Status.FILLED
    order.save(update_fields=["filled_quantity", "status", "updated_at"])


def _position(account_id: int, instrument_id: int) -> QuerySet[Position]:
    return Position.objects.filter(account_id=account_id, instrument_id=instrument_id)
