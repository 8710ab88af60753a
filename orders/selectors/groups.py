"""Orders with the legs under them, as `nested=true` asks for them, and the group of one order with
the prices of its exits (docs/order-groups.md).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from orders.domain.levels import MARKET, Level, Position, exit_level
from orders.domain.order_class import FIRST_LEG, Leg
from orders.domain.values import OrderStatus, Side
from orders.domain.views import OrderView
from orders.models import Execution, Order
from orders.selectors import order_view, orders_of
from portfolio.models import TradingAccount
from portfolio.selectors import fee_rates_of, mark_prices

_IS_FIRST = Q(order_class="SIMPLE")
for _order_class, _leg in FIRST_LEG.items():
    _IS_FIRST |= Q(order_class=_order_class.value, leg=_leg.value)


def first_orders_of(account: TradingAccount, status: str) -> QuerySet[Order]:
    """The account's simple orders and the first ones of its groups, newest first. A group is
    `open` as long as one of its orders is, and then stands under its newest first order.
    """
    orders = orders_of(account).filter(_IS_FIRST)
    if status == "all":
        return orders
    open_groups = Order.objects.filter(
        account=account, closed_at__isnull=True, group_id__isnull=False
    ).values("group_id")
    is_open = Q(closed_at__isnull=True) | (
        Q(group_id__in=open_groups) & ~Q(status=OrderStatus.REPLACED.value)
    )
    return orders.filter(is_open if status == "open" else ~is_open)


def nested_order_views(orders: Iterable[Order]) -> list[OrderView]:
    """Each order with its legs if it is the first of a group: those that were not replaced."""
    found = list(orders)
    groups = {order.group_id for order in found if _has_legs(order)}
    by_group: dict[UUID | None, list[Order]] = {}
    legs = Order.objects.filter(group_id__in=groups).exclude(_IS_FIRST).select_related("instrument")
    for leg in legs.exclude(status=OrderStatus.REPLACED.value).order_by("sequence"):
        by_group.setdefault(leg.group_id, []).append(leg)
    return [
        order_view(order, by_group.get(order.group_id, []) if _has_legs(order) else None)
        for order in found
    ]


def nested_order_view(order: Order) -> OrderView:
    return nested_order_views([order])[0]


def _has_legs(order: Order) -> bool:
    """It is the first order of its group and nobody has taken its place."""
    is_first = any(
        (order.order_class, order.leg) == (kind.value, leg.value) for kind, leg in FIRST_LEG.items()
    )
    return is_first and order.status != OrderStatus.REPLACED


_PARTS = [leg.value for leg in Leg]


def group_of(order: Order) -> list[Order]:
    """The orders of its group as they stand, the entry first, itself among them even when another
    has taken its place; empty for a simple order.
    """
    if order.group_id is None:
        return []
    rows = orders_of(order.account).filter(group_id=order.group_id)
    found = [row for row in rows if row.status != OrderStatus.REPLACED or row.pk == order.pk]
    return sorted(found, key=lambda row: (_PARTS.index(row.leg), row.sequence))


def group_levels(group: Sequence[Order]) -> list[Level]:
    """Entry, exits and, while one of them is open, the market; gains after fees, where the group
    has an entry.
    """
    by_leg = {row.leg: row for row in group if row.status != OrderStatus.REPLACED}
    profit, loss = by_leg.get(Leg.TAKE_PROFIT), by_leg.get(Leg.STOP_LOSS)
    if not by_leg:
        return []
    any_order = next(iter(by_leg.values()))
    entry = _opened(by_leg[Leg.ENTRY]) if Leg.ENTRY in by_leg else None
    maker, taker = fee_rates_of(any_order.account)
    levels = [] if entry is None else [Level(Leg.ENTRY.value, entry.price)]
    if profit is not None and profit.limit_price is not None:
        levels.append(exit_level(Leg.TAKE_PROFIT, profit.limit_price, entry, maker))
    if loss is not None and loss.stop_price is not None:
        levels.append(exit_level(Leg.STOP_LOSS, loss.stop_price, entry, taker))
    symbol = any_order.instrument.symbol
    if any(row.closed_at is None for row in group) and symbol in (mark := mark_prices([symbol])):
        levels.append(Level(MARKET, mark[symbol]))
    return levels


def _opened(entry: Order) -> Position | None:
    """What the entry has opened, or would at its own price; None for a market order that has not
    filled.
    """
    price, quantity = entry.limit_price, entry.quantity
    if entry.type == "STOP" or price is None:
        price = entry.stop_price
    if entry.filled_quantity:
        price, quantity = entry.filled_notional / entry.filled_quantity, entry.filled_quantity
    if price is None:
        return None
    fees = Execution.objects.filter(order=entry).aggregate(paid=Sum("fee"))["paid"]
    sign = 1 if entry.side == Side.BUY.value else -1
    return Position(price, sign * quantity, fees or Decimal(0))
