"""The operators' view of what is open: every account's orders, how old they are, and what stands
before each of them at its price.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db.models import Count, F, Q, QuerySet, Sum

from orders.domain.queue_request import (
    WAITING_AUCTION,
    WAITING_ENTRY,
    WAITING_STOP,
    WORKING,
    QueueQuery,
)
from orders.domain.values import OrderStatus, OrderType
from orders.domain.views import OrderView
from orders.models import Order
from orders.selectors import order_view
from orders.selectors.trailing import with_peaks

MAX_GROUPS = 100
_STOPS = [kind.value for kind in OrderType if kind.is_stop]
_LEAVES = F("quantity") - F("filled_quantity") - F("prevented_quantity")


_BY_STATE = {
    WORKING: ~Q(status__in=[OrderStatus.QUEUED.value, OrderStatus.HELD.value])
    & ~Q(type__in=_STOPS, status=OrderStatus.ACCEPTED.value),
    WAITING_STOP: Q(type__in=_STOPS, status=OrderStatus.ACCEPTED.value),
    WAITING_AUCTION: Q(status=OrderStatus.QUEUED.value),
    WAITING_ENTRY: Q(status=OrderStatus.HELD.value),
}


class QueuedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An open order. `orders_ahead` and `quantity_ahead` stand before it at its price among the
    portal's own orders; what the street shows there is not known by place and not counted. Null for
    an order that is not in the book.
    """

    number: int
    state: str
    account: str
    account_name: str
    owner: str
    age_seconds: int
    orders_ahead: int | None
    quantity_ahead: str | None
    order: OrderView


class QueueGroup(NamedTuple):
    """What one account has open in one instrument."""

    account: str
    account_name: str
    symbol: str
    orders: int
    buying: Decimal
    selling: Decimal


def open_orders(query: QueueQuery) -> QuerySet[Order]:
    """What the query asks for, oldest first, from its place on."""
    return _matching(query).filter(sequence__gt=query.after).order_by("sequence")


def queue_size(query: QueueQuery) -> int:
    """How many orders match, whatever the page."""
    return _matching(query).count()


def queue_page(query: QueueQuery, now: datetime) -> list[QueuedOrder]:
    """One page of what is open."""
    related = with_peaks(open_orders(query)).select_related("instrument", "account__owner")
    rows = list(related[: query.size])
    ahead = _ahead([row for row in rows if _state(row) == WORKING])
    return [_queued(row, ahead.get(row.pk), now) for row in rows]


def queue_groups(query: QueueQuery) -> list[QueueGroup]:
    """What is open by account and instrument, most orders first."""
    rows = (
        _matching(query)
        .values("account__public_id", "account__name", "instrument__symbol")
        .annotate(
            orders=Count("pk"),
            buying=Sum(_LEAVES, filter=Q(side="BUY"), default=Decimal(0)),
            selling=Sum(_LEAVES, filter=Q(side="SELL"), default=Decimal(0)),
        )
        .order_by("-orders", "account__name", "instrument__symbol")[:MAX_GROUPS]
    )
    return [
        QueueGroup(
            str(row["account__public_id"]),
            row["account__name"],
            row["instrument__symbol"],
            row["orders"],
            row["buying"],
            row["selling"],
        )
        for row in rows
    ]


def open_counts() -> dict[int, int]:
    """How many orders are open, by instrument."""
    rows = Order.objects.filter(closed_at__isnull=True).order_by()
    return dict(rows.values_list("instrument").annotate(count=Count("pk")))


def _matching(query: QueueQuery) -> QuerySet[Order]:
    rows = Order.objects.filter(closed_at__isnull=True)
    if query.account is not None:
        rows = rows.filter(account__public_id=query.account)
    if query.symbol:
        rows = rows.filter(instrument__symbol=query.symbol)
    if query.state:
        rows = rows.filter(_BY_STATE[query.state])
    return rows


def _ahead(orders: Sequence[Order]) -> dict[UUID, tuple[int, Decimal]]:
    """How many orders and how much stand before each of these, by their rank at one price."""
    prices = {(row.instrument_id, row.side, row.limit_price) for row in orders if row.limit_price}
    if not prices:
        return {}
    places = Q()
    for instrument, side, price in prices:
        places |= Q(instrument=instrument, side=side, limit_price=price)
    resting = Order.objects.filter(places, _BY_STATE[WORKING], closed_at__isnull=True)
    found: dict[UUID, tuple[int, Decimal]] = {}
    counts: dict[tuple[int, str, Decimal | None], tuple[int, Decimal]] = defaultdict(
        lambda: (0, Decimal(0))
    )
    rows = resting.annotate(left=_LEAVES).order_by("rank")
    for pk, instrument, side, limit, left in rows.values_list(
        "pk", "instrument_id", "side", "limit_price", "left"
    ):
        number, quantity = found[pk] = counts[instrument, side, limit]
        counts[instrument, side, limit] = (number + 1, quantity + left)
    return found


def _state(order: Order) -> str:
    if order.status == OrderStatus.QUEUED.value:
        return WAITING_AUCTION
    if order.status == OrderStatus.HELD.value:
        return WAITING_ENTRY
    if order.type in _STOPS and order.status == OrderStatus.ACCEPTED.value:
        return WAITING_STOP
    return WORKING


def _queued(order: Order, ahead: tuple[int, Decimal] | None, now: datetime) -> QueuedOrder:
    owner = order.account.owner
    return QueuedOrder(
        number=order.sequence,
        state=_state(order),
        account=str(order.account.public_id),
        account_name=order.account.name,
        owner=owner.username if owner else "",
        age_seconds=max(int((now - order.submitted_at).total_seconds()), 0),
        orders_ahead=ahead[0] if ahead else None,
        quantity_ahead=f"{ahead[1].normalize():f}" if ahead else None,
        order=order_view(order),
    )
