"""Orders with the legs under them, as `nested=true` asks for them (docs/order-groups.md)."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from orders.domain.order_class import FIRST_LEG
from orders.domain.values import OrderStatus
from orders.domain.views import OrderView
from orders.models import Order
from orders.selectors import order_view, orders_of
from portfolio.models import TradingAccount

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
