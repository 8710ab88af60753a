"""Reads of orders and executions as views, always scoped by account; the same shapes as the
engine's.

A page or API answer built here equals what the engine's reply and events carry for the same order.
"""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from core.domain.clock import to_ns, wire_time
from core.domain.decimals import to_wire
from core.domain.ids import execution_uuid
from core.domain.units import decimal_to_units, divide_half_up
from core.models import Event
from marketdata.models import Instrument
from marketdata.selectors.live import LiveDataUnavailableError, latest_books
from orders.domain.preview import DraftOrder, Means, Preview, preview
from orders.domain.values import Side
from orders.domain.views import BalanceView, ExecutionView, OrderView, PositionView
from orders.models import Execution, Order
from portfolio.models import Position, TradingAccount
from portfolio.selectors import all_positions, average_entry_price, balance_of
from risk.domain.checks import InstrumentTerms

SNAPSHOT_CLOSED_ORDERS = 50
SNAPSHOT_OPEN_ORDERS = 500
SNAPSHOT_FILLS = 50


def orders_of(account: TradingAccount) -> QuerySet[Order]:
    """All orders of the account, newest first."""
    return Order.objects.filter(account=account).select_related("instrument").order_by("-sequence")


def order_by_id(account: TradingAccount, order_id: UUID) -> Order | None:
    return orders_of(account).filter(pk=order_id).first()


def order_by_client_id(account: TradingAccount, client_order_id: str) -> Order | None:
    return orders_of(account).filter(client_order_id=client_order_id).first()


def executions_of(account: TradingAccount) -> QuerySet[Execution]:
    """All executions of the account, newest first."""
    return Execution.objects.filter(account=account).select_related("instrument").order_by("-id")


def order_view(order: Order) -> OrderView:
    instrument = order.instrument
    leaves = order.quantity - order.filled_quantity if order.closed_at is None else Decimal(0)
    return OrderView(
        id=str(order.pk),
        client_order_id=order.client_order_id,
        symbol=instrument.symbol,
        asset_class=instrument.asset_class,
        asset_id=str(instrument.public_id),
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        quantity=to_wire(order.quantity),
        limit_price=None if order.limit_price is None else to_wire(order.limit_price),
        filled_quantity=to_wire(order.filled_quantity),
        leaves_quantity=to_wire(leaves),
        average_price=_average_price(order),
        status=order.status,
        reason=order.reason or None,
        submitted_at=wire_time(to_ns(order.submitted_at)),
        updated_at=wire_time(to_ns(order.updated_at)),
        closed_at=None if order.closed_at is None else wire_time(to_ns(order.closed_at)),
        expires_at=None if order.expires_at is None else wire_time(to_ns(order.expires_at)),
    )


def _average_price(order: Order) -> str | None:
    if not order.filled_quantity:
        return None
    return to_wire(divide_half_up(order.filled_notional, order.filled_quantity))


def execution_view(execution: Execution) -> ExecutionView:
    return ExecutionView(
        id=str(execution_uuid(execution.pk)),
        order_id=str(execution.order_id),
        symbol=execution.instrument.symbol,
        side=execution.side,
        price=to_wire(execution.price),
        quantity=to_wire(execution.quantity),
        liquidity=execution.liquidity,
        occurred_at=wire_time(to_ns(execution.occurred_at)),
    )


def position_view(position: Position) -> PositionView:
    return PositionView(
        symbol=position.instrument.symbol,
        asset_class=position.instrument.asset_class,
        quantity=to_wire(position.quantity),
        locked=to_wire(position.locked),
        average_entry_price=to_wire(average_entry_price(position)),
        cost_basis=to_wire(position.cost_basis),
        realized_pnl=to_wire(position.realized_pnl),
    )


def balance_view(account: TradingAccount) -> BalanceView:
    balance = balance_of(account)
    return BalanceView(
        currency=balance.currency_id,
        total=to_wire(balance.total),
        locked=to_wire(balance.locked),
        free=to_wire(balance.total - balance.locked),
    )


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    venue_kind: str
    currency: str


class AccountSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a page shows of an account, true as of event number `sequence`.

    `orders` has the open ones and the newest closed ones, newest first; `fills` the newest.
    """

    sequence: int
    account: AccountView
    balance: BalanceView
    orders: Sequence[OrderView]
    fills: Sequence[ExecutionView]
    positions: Sequence[PositionView]


def account_snapshot(account: TradingAccount) -> AccountSnapshot:
    """The account at one moment: all of it is read in one database snapshot."""
    if connection.in_atomic_block:
        return _read_snapshot(account)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _read_snapshot(account)


def _read_snapshot(account: TradingAccount) -> AccountSnapshot:
    last = (
        Event.objects.filter(account_id=account.pk)
        .order_by("-account_sequence")
        .values_list("account_sequence", flat=True)
        .first()
    )
    still_open = orders_of(account).filter(closed_at__isnull=True)[:SNAPSHOT_OPEN_ORDERS]
    closed = orders_of(account).filter(closed_at__isnull=False)[:SNAPSHOT_CLOSED_ORDERS]
    rows = sorted([*still_open, *closed], key=lambda order: order.sequence, reverse=True)
    return AccountSnapshot(
        sequence=last or 0,
        account=AccountView(
            id=str(account.public_id),
            name=account.name,
            venue_kind=account.venue_kind,
            currency=account.currency_id,
        ),
        balance=balance_view(account),
        orders=[order_view(order) for order in rows],
        fills=[execution_view(row) for row in executions_of(account)[:SNAPSHOT_FILLS]],
        positions=[position_view(row) for row in all_positions(account)],
    )


def preview_order(account: TradingAccount, instrument: Instrument, draft: DraftOrder) -> Preview:
    """What the order would cost and whether it would pass, by the newest depth and balances."""
    balance = balance_of(account)
    position = Position.objects.filter(account=account, instrument=instrument).first()
    return preview(
        draft,
        opposite=_opposite_levels(instrument.symbol, draft.side),
        terms=InstrumentTerms(
            symbol=instrument.symbol,
            currency=instrument.quote_currency_id,
            tick_units=_units(instrument.tick_size),
            lot_units=_units(instrument.lot_size),
            min_notional_units=_units(instrument.min_notional),
        ),
        means=Means(
            free_units=_units(balance.total - balance.locked),
            position_units=_units(position.quantity) if position else 0,
            locked_units=_units(position.locked) if position else 0,
        ),
    )


def _opposite_levels(symbol: str, side: Side) -> list[tuple[Decimal, Decimal]]:
    """What a taker on `side` would meet, best first; nothing while the live cache is away."""
    try:
        book = latest_books([symbol]).get(symbol)
    except LiveDataUnavailableError:
        return []
    if book is None:
        return []
    levels = book.asks if side is Side.BUY else book.bids
    return [(level.price, level.size) for level in levels]


def _units(value: Decimal) -> int:
    units = decimal_to_units(value)
    assert units is not None, f"{value} is finer than a stored number can be"
    return units
