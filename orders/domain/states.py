"""The life of an order as one table: (status, event) → status. A pair that is not here raises.

The engine changes a status only through `next_status`; the tests and docs/order-states.md (made by
orders.domain.states_page) read the same table. The words are FIX tag 39's, close to
NautilusTrader's lifecycle.
"""

from typing import Final

from core.domain.words import Word
from orders.domain.values import OrderStatus


class OrderEvent(Word):
    """What can happen to an order."""

    DENIED = "OrderDenied"
    ACCEPTED = "OrderAccepted"
    HELD = "OrderHeld"
    QUEUED = "OrderQueued"
    RELEASED = "OrderReleased"
    TRIGGERED = "OrderTriggered"
    PARTIALLY_FILLED = "OrderPartiallyFilled"
    FILLED = "OrderFilled"
    CANCELED = "OrderCanceled"
    EXPIRED = "OrderExpired"
    REPLACED = "OrderReplaced"
    AMENDED = "OrderAmended"
    DECREMENTED = "OrderDecremented"


class UnknownTransitionError(Exception):
    """An event arrived that the order's status does not allow: a fault of ours, never of a user."""


TRANSITIONS: Final[dict[tuple[OrderStatus, OrderEvent], OrderStatus]] = {
    (OrderStatus.INITIALIZED, OrderEvent.DENIED): OrderStatus.DENIED,
    (OrderStatus.INITIALIZED, OrderEvent.ACCEPTED): OrderStatus.ACCEPTED,
    (OrderStatus.INITIALIZED, OrderEvent.QUEUED): OrderStatus.QUEUED,
    (OrderStatus.INITIALIZED, OrderEvent.HELD): OrderStatus.HELD,
    (OrderStatus.HELD, OrderEvent.RELEASED): OrderStatus.ACCEPTED,
    (OrderStatus.HELD, OrderEvent.QUEUED): OrderStatus.QUEUED,
    (OrderStatus.HELD, OrderEvent.AMENDED): OrderStatus.HELD,
    (OrderStatus.HELD, OrderEvent.REPLACED): OrderStatus.REPLACED,
    (OrderStatus.HELD, OrderEvent.CANCELED): OrderStatus.CANCELED,
    (OrderStatus.HELD, OrderEvent.EXPIRED): OrderStatus.EXPIRED,
    (OrderStatus.QUEUED, OrderEvent.RELEASED): OrderStatus.ACCEPTED,
    (OrderStatus.QUEUED, OrderEvent.PARTIALLY_FILLED): OrderStatus.PARTIALLY_FILLED,
    (OrderStatus.QUEUED, OrderEvent.FILLED): OrderStatus.FILLED,
    (OrderStatus.QUEUED, OrderEvent.AMENDED): OrderStatus.QUEUED,
    (OrderStatus.QUEUED, OrderEvent.REPLACED): OrderStatus.REPLACED,
    (OrderStatus.QUEUED, OrderEvent.CANCELED): OrderStatus.CANCELED,
    (OrderStatus.QUEUED, OrderEvent.EXPIRED): OrderStatus.EXPIRED,
    (OrderStatus.ACCEPTED, OrderEvent.TRIGGERED): OrderStatus.TRIGGERED,
    (OrderStatus.ACCEPTED, OrderEvent.PARTIALLY_FILLED): OrderStatus.PARTIALLY_FILLED,
    (OrderStatus.ACCEPTED, OrderEvent.FILLED): OrderStatus.FILLED,
    (OrderStatus.ACCEPTED, OrderEvent.CANCELED): OrderStatus.CANCELED,
    (OrderStatus.ACCEPTED, OrderEvent.EXPIRED): OrderStatus.EXPIRED,
    (OrderStatus.ACCEPTED, OrderEvent.REPLACED): OrderStatus.REPLACED,
    (OrderStatus.ACCEPTED, OrderEvent.AMENDED): OrderStatus.ACCEPTED,
    (OrderStatus.ACCEPTED, OrderEvent.DECREMENTED): OrderStatus.ACCEPTED,
    (OrderStatus.TRIGGERED, OrderEvent.PARTIALLY_FILLED): OrderStatus.PARTIALLY_FILLED,
    (OrderStatus.TRIGGERED, OrderEvent.FILLED): OrderStatus.FILLED,
    (OrderStatus.TRIGGERED, OrderEvent.CANCELED): OrderStatus.CANCELED,
    (OrderStatus.TRIGGERED, OrderEvent.EXPIRED): OrderStatus.EXPIRED,
    (OrderStatus.TRIGGERED, OrderEvent.REPLACED): OrderStatus.REPLACED,
    (OrderStatus.TRIGGERED, OrderEvent.AMENDED): OrderStatus.TRIGGERED,
    (OrderStatus.TRIGGERED, OrderEvent.DECREMENTED): OrderStatus.TRIGGERED,
    (OrderStatus.PARTIALLY_FILLED, OrderEvent.PARTIALLY_FILLED): OrderStatus.PARTIALLY_FILLED,
    (OrderStatus.PARTIALLY_FILLED, OrderEvent.FILLED): OrderStatus.FILLED,
    (OrderStatus.PARTIALLY_FILLED, OrderEvent.CANCELED): OrderStatus.CANCELED,
    (OrderStatus.PARTIALLY_FILLED, OrderEvent.EXPIRED): OrderStatus.EXPIRED,
    (OrderStatus.PARTIALLY_FILLED, OrderEvent.REPLACED): OrderStatus.REPLACED,
    (OrderStatus.PARTIALLY_FILLED, OrderEvent.AMENDED): OrderStatus.PARTIALLY_FILLED,
    (OrderStatus.PARTIALLY_FILLED, OrderEvent.DECREMENTED): OrderStatus.PARTIALLY_FILLED,
}


def next_status(status: OrderStatus, event: OrderEvent) -> OrderStatus:
    """The status after `event`; UnknownTransitionError when the table has no such pair."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise UnknownTransitionError(
            f"{event} cannot happen to an order that is {status}"
        ) from None
