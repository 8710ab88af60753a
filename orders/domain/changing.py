"""How a change of an open order is made: in its place where that is enough, else by a successor.

What a page asks for is what the order shall still fill, and its prices. Less to fill and nothing
else is an amend (docs/matching.md A1), which keeps the order and its place; whatever else is a
replace (R1). Of an order of a group only prices change (docs/order-groups.md N9).
"""

from dataclasses import dataclass
from decimal import Decimal

from orders.domain.order_changes import OrderChanges
from orders.domain.values import OrderStatus, OrderType, TimeInForce
from orders.domain.views import OrderView

ENDS_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
WAITING = frozenset({OrderStatus.ACCEPTED.value, OrderStatus.HELD.value})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an order shall be from now on; None: as it is. `leaves` is what it shall still fill."""

    leaves: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    trail: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """Either `amended`, the order's new whole quantity, or `changes` for its successor."""

    amended: Decimal | None
    changes: OrderChanges
    keeps_place: bool

    @property
    def is_of_prices(self) -> bool:
        """Whether quantity and time in force stay: the orders of a group share them (N9)."""
        is_same_size = self.amended is None and self.changes.quantity is None
        return is_same_size and self.changes.time_in_force is None


def fields_to_change(order: OrderView) -> frozenset[str]:
    """What may become different of the order as it stands, as the form of a change names it."""
    kind, is_simple, waits = OrderType(order.type), order.group is None, is_waiting(order)
    trails = kind is OrderType.TRAILING_STOP
    may = {
        "quantity": is_simple,
        "time_in_force": is_simple,
        "limit_price": kind.names_limit,
        "stop_price": waits and not trails,
        "trail": waits and trails,
    }
    return frozenset(name for name, is_offered in may.items() if is_offered)


def plan_change(order: OrderView, wanted: Wanted) -> ChangePlan | None:
    """How the order becomes what is wanted; None when it is that already."""
    leaves = Decimal(order.leaves_quantity)
    changes = OrderChanges(
        quantity=_unless(wanted.leaves, leaves),
        limit_price=_unless(wanted.limit_price, _decimal(order.limit_price)),
        stop_price=_unless(wanted.stop_price, _decimal(order.stop_price)),
        trail=_unless(wanted.trail, _decimal(order.trail_price or order.trail_percent)),
        time_in_force=None
        if wanted.time_in_force is None or wanted.time_in_force.value == order.time_in_force
        else wanted.time_in_force,
    )
    if changes == OrderChanges():
        return None
    less = changes.quantity
    if less is not None and less < leaves and changes == OrderChanges(quantity=less):
        done = Decimal(order.quantity) - leaves
        return ChangePlan(done + less, OrderChanges(), keeps_place=True)
    return ChangePlan(None, changes, _keeps_place(order, changes))


def is_waiting(order: OrderView) -> bool:
    """Whether it is a stop order that no trade has elected; a leg that is held is one too."""
    return OrderType(order.type).is_stop and order.status in WAITING


def _keeps_place(order: OrderView, changes: OrderChanges) -> bool:
    """R3."""
    return (
        not is_waiting(order)
        and order.status not in {OrderStatus.QUEUED.value, OrderStatus.HELD.value}
        and changes.limit_price is None
        and (changes.quantity or Decimal(0)) <= Decimal(order.leaves_quantity)
        and changes.time_in_force not in ENDS_AT_ONCE
    )


def _unless(wanted: Decimal | None, now: Decimal | None) -> Decimal | None:
    return None if wanted == now else wanted


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
