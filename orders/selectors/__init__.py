"""Reads of orders and executions as views, always scoped by account; the same shapes as the
engine's.

A page or API answer built here equals what the engine's reply and events carry for the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.models import User
from core.database import one_moment
from core.domain.clock import to_ns, wire_time
from core.domain.decimals import to_wire
from core.domain.ids import execution_uuid
from core.domain.units import divide_half_up
from core.models import Event
from orders.domain.views import (
    BalanceView,
    ExecutionView,
    GroupView,
    OrderView,
    PositionView,
)
from orders.models import Execution, Order
from orders.selectors.trailing import trail_of, with_peaks
from portfolio.domain.activities import (
    CASH_TYPES,
    CashActivity,
    FillActivity,
    Place,
    activity_id,
)
from portfolio.models import Position, TradingAccount, Transfer
from portfolio.selectors import (
    accounts_visible_to,
    all_positions,
    average_entry_price,
    balance_of,
)

SNAPSHOT_CLOSED_ORDERS = 50
SNAPSHOT_OPEN_ORDERS = 500
SNAPSHOT_FILLS = 50


def orders_of(account: TradingAccount) -> QuerySet[Order]:
    """All orders of the account, newest first."""
    orders = Order.objects.filter(account=account).select_related("instrument")
    return with_peaks(orders).order_by("-submitted_at", "-sequence")


def order_by_id(account: TradingAccount, order_id: UUID) -> Order | None:
    return orders_of(account).filter(pk=order_id).first()


def order_visible_to(user: User, order_id: UUID) -> Order | None:
    """The order, if it is of an account that `user` owns or shares."""
    rows = with_peaks(Order.objects.filter(pk=order_id, account__in=accounts_visible_to(user)))
    return rows.select_related("instrument", "account").first()


def order_by_client_id(account: TradingAccount, client_order_id: str) -> Order | None:
    return orders_of(account).filter(client_order_id=client_order_id).first()


def executions_of(account: TradingAccount) -> QuerySet[Execution]:
    """All executions of the account, newest first."""
    rows = Execution.objects.filter(account=account).select_related("instrument")
    return rows.order_by("-occurred_at", "-id")


def order_view(order: Order, legs: Sequence[Order] | None = None) -> OrderView:
    """The order; a group's first order with `legs` under it if they are given."""
    instrument = order.instrument
    leaves = Decimal(0)
    if order.closed_at is None:
        leaves = order.quantity - order.filled_quantity - order.prevented_quantity
    stop_price, mark = trail_of(order)
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
        stop_price=None if stop_price is None else to_wire(stop_price),
        trail_price=None if order.trail_price is None else to_wire(order.trail_price),
        trail_percent=None if order.trail_percent is None else to_wire(order.trail_percent),
        hwm=None if mark is None else to_wire(mark),
        notional=None if order.notional is None else to_wire(order.notional),
        display_quantity=to_wire(order.display_quantity) if order.display_quantity else None,
        strategy=order.strategy,
        filled_quantity=to_wire(order.filled_quantity),
        leaves_quantity=to_wire(leaves),
        average_price=_average_price(order),
        prevented_quantity=to_wire(order.prevented_quantity),
        stp_mode=order.stp_mode,
        status=order.status,
        reason=order.reason or None,
        submitted_at=wire_time(to_ns(order.submitted_at)),
        updated_at=wire_time(to_ns(order.updated_at)),
        closed_at=None if order.closed_at is None else wire_time(to_ns(order.closed_at)),
        expires_at=None if order.expires_at is None else wire_time(to_ns(order.expires_at)),
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        forced=order.forced or None,
        replaces=None if order.replaces is None else str(order.replaces),
        replaced_by=None if order.replaced_by is None else str(order.replaced_by),
        group=_group(order, legs) if order.group_id is not None else None,
    )


def _group(order: Order, legs: Sequence[Order] | None) -> GroupView:
    return GroupView(
        id=str(order.group_id),
        order_class=order.order_class,
        leg=order.leg,
        legs=None if legs is None else [order_view(leg) for leg in legs],
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
        fee=to_wire(execution.fee),
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
    with one_moment():
        return _read_snapshot(account)


def account_events_from(
    account: TradingAccount, sequence: int, limit: int
) -> list[tuple[int, str]]:
    """The account's events from that number on, in order: number and payload as it was told."""
    events = Event.objects.filter(account_id=account.pk, account_sequence__gte=sequence)
    told = events.annotate(text=Cast("payload", TextField())).order_by("account_sequence")
    return [(event.account_sequence or 0, event.text) for event in told[:limit]]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """Which activities: of these types, between two instants, beyond the `last` one seen."""

    types: frozenset[str]
    after: datetime | None
    until: datetime | None
    is_ascending: bool
    size: int
    last: tuple[str, int] | None


def activities_of(account: TradingAccount, page: ActivityPage) -> list[FillActivity | CashActivity]:
    """A page of the account's activities (portfolio.domain.activities), in one order of all."""
    kinds = [kind for kind, word in CASH_TYPES.items() if word in page.types]
    sources: list[tuple[str, QuerySet[Any]]] = []  # Any: executions or transfers
    if "FILL" in page.types:
        executions = Execution.objects.filter(account=account)
        sources.append(("FILL", executions.select_related("instrument", "order")))
    if kinds:
        cash = Transfer.objects.filter(kind__in=kinds).exclude(kind="TRADE")
        # Each side for itself: one index has what it paid, the other what it got.
        sources.append(("TRANSFER", cash.filter(debit_account=account)))
        sources.append(("TRANSFER", cash.filter(credit_account=account)))
    last = _place_of(account, page.last) if page.last else None
    found: list[tuple[Place, Any]] = []
    for kind, rows in sources:
        for row in _window(rows, page, last):
            found.append((Place(row.occurred_at, kind, row.pk), row))
    found.sort(key=lambda pair: pair[0].key, reverse=not page.is_ascending)
    if last is not None:
        found = [
            pair
            for pair in found
            if (pair[0].key > last.key if page.is_ascending else pair[0].key < last.key)
        ]
    return _described(account, found[: page.size])


def _place_of(account: TradingAccount, last: tuple[str, int]) -> Place | None:
    """Where the activity stands that the token names; None for one that is not the account's."""
    kind, number = last
    rows: QuerySet[Any] = Execution.objects.filter(account=account, pk=number)
    if kind == "TRANSFER":
        rows = Transfer.objects.filter(
            Q(debit_account=account) | Q(credit_account=account), pk=number
        )
    row = rows.first()
    return Place(row.occurred_at, kind, number) if row else None


def _window(rows: QuerySet[Any], page: ActivityPage, last: Place | None) -> QuerySet[Any]:
    """Enough rows for a page; those of the last instant may repeat."""
    if page.after is not None:
        rows = rows.filter(occurred_at__gt=page.after)
    if page.until is not None:
        rows = rows.filter(occurred_at__lt=page.until)
    order = ("occurred_at", "pk") if page.is_ascending else ("-occurred_at", "-pk")
    if last is not None:
        bound = "occurred_at__gte" if page.is_ascending else "occurred_at__lte"
        rows = rows.filter(**{bound: last.at})
        same = rows.filter(occurred_at=last.at).count()
        return rows.order_by(*order)[: page.size + same]
    return rows.order_by(*order)[: page.size]


def _described(
    account: TradingAccount, found: Sequence[tuple[Place, Any]]
) -> list[FillActivity | CashActivity]:
    orders = {row.order_id for place, row in found if place.kind == "FILL"}
    parts = Execution.objects.filter(order_id__in=orders).order_by("pk")
    filled: dict[UUID, Decimal] = {}
    until: dict[int, Decimal] = {}
    for number, order_id, quantity in parts.values_list("pk", "order_id", "quantity"):
        filled[order_id] = filled.get(order_id, Decimal(0)) + quantity
        until[number] = filled[order_id]
    return [
        _fill_activity(account, place, row, until[row.pk])
        if place.kind == "FILL"
        else _cash_activity(account, place, row)
        for place, row in found
    ]


def _fill_activity(
    account: TradingAccount, place: Place, row: Execution, filled: Decimal
) -> FillActivity:
    is_last = filled == row.order.quantity
    return FillActivity(
        id=activity_id(place),
        account_id=str(account.public_id),
        transaction_time=wire_time(to_ns(row.occurred_at)),
        type="fill" if is_last else "partial_fill",
        price=to_wire(row.price),
        qty=to_wire(row.quantity),
        side=row.side.lower(),
        symbol=row.instrument.symbol,
        leaves_qty=to_wire(row.order.quantity - filled),
        order_id=str(row.order_id),
        cum_qty=to_wire(filled),
        order_status="filled" if is_last else "partially_filled",
    )


def _cash_activity(account: TradingAccount, place: Place, row: Transfer) -> CashActivity:
    amount = row.amount if row.credit_account_id == account.pk else -row.amount
    return CashActivity(
        id=activity_id(place),
        account_id=str(account.public_id),
        activity_type=CASH_TYPES[row.kind],
        date=row.occurred_at.astimezone(UTC).date().isoformat(),
        net_amount=to_wire(amount),
        description=row.reason or (f"Fee of trade {row.trade_id}" if row.trade_id else ""),
        created_at=wire_time(to_ns(row.occurred_at)),
    )
