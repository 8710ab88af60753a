"""The order's life is one table: each pair of status and event leads somewhere or raises."""

from itertools import product

import pytest

from orders.domain.states import TRANSITIONS, OrderEvent, UnknownTransitionError, next_status
from orders.domain.values import OPEN_STATUSES, OrderStatus

ALLOWED = {
    ("INITIALIZED", "OrderDenied"): "DENIED",
    ("INITIALIZED", "OrderAccepted"): "ACCEPTED",
    ("INITIALIZED", "OrderQueued"): "QUEUED",
    ("INITIALIZED", "OrderHeld"): "HELD",
    ("HELD", "OrderReleased"): "ACCEPTED",
    ("HELD", "OrderQueued"): "QUEUED",
    ("HELD", "OrderAmended"): "HELD",
    ("HELD", "OrderReplaced"): "REPLACED",
    ("HELD", "OrderCanceled"): "CANCELED",
    ("HELD", "OrderExpired"): "EXPIRED",
    ("QUEUED", "OrderReleased"): "ACCEPTED",
    ("QUEUED", "OrderPartiallyFilled"): "PARTIALLY_FILLED",
    ("QUEUED", "OrderFilled"): "FILLED",
    ("QUEUED", "OrderAmended"): "QUEUED",
    ("QUEUED", "OrderReplaced"): "REPLACED",
    ("QUEUED", "OrderCanceled"): "CANCELED",
    ("QUEUED", "OrderExpired"): "EXPIRED",
    ("ACCEPTED", "OrderTriggered"): "TRIGGERED",
    ("ACCEPTED", "OrderPartiallyFilled"): "PARTIALLY_FILLED",
    ("ACCEPTED", "OrderFilled"): "FILLED",
    ("ACCEPTED", "OrderCanceled"): "CANCELED",
    ("ACCEPTED", "OrderExpired"): "EXPIRED",
    ("ACCEPTED", "OrderReplaced"): "REPLACED",
    ("ACCEPTED", "OrderAmended"): "ACCEPTED",
    ("ACCEPTED", "OrderDecremented"): "ACCEPTED",
    ("TRIGGERED", "OrderPartiallyFilled"): "PARTIALLY_FILLED",
    ("TRIGGERED", "OrderFilled"): "FILLED",
    ("TRIGGERED", "OrderCanceled"): "CANCELED",
    ("TRIGGERED", "OrderExpired"): "EXPIRED",
    ("TRIGGERED", "OrderReplaced"): "REPLACED",
    ("TRIGGERED", "OrderAmended"): "TRIGGERED",
    ("TRIGGERED", "OrderDecremented"): "TRIGGERED",
    ("PARTIALLY_FILLED", "OrderPartiallyFilled"): "PARTIALLY_FILLED",
    ("PARTIALLY_FILLED", "OrderFilled"): "FILLED",
    ("PARTIALLY_FILLED", "OrderCanceled"): "CANCELED",
    ("PARTIALLY_FILLED", "OrderExpired"): "EXPIRED",
    ("PARTIALLY_FILLED", "OrderReplaced"): "REPLACED",
    ("PARTIALLY_FILLED", "OrderAmended"): "PARTIALLY_FILLED",
    ("PARTIALLY_FILLED", "OrderDecremented"): "PARTIALLY_FILLED",
}
PAIRS = list(product(OrderStatus, OrderEvent))


@pytest.mark.parametrize(("status", "event"), PAIRS, ids=[f"{s}-{e}" for s, e in PAIRS])
def test_every_pair(status: OrderStatus, event: OrderEvent) -> None:
    expected = ALLOWED.get((status.value, event.value))

    if expected is None:
        with pytest.raises(UnknownTransitionError, match=status.value):
            next_status(status, event)
    else:
        assert next_status(status, event) == expected


def test_open_statuses_are_those_that_can_end() -> None:
    can_go_on = {status for status, _ in TRANSITIONS}

    assert can_go_on - {OrderStatus.INITIALIZED} == OPEN_STATUSES


def test_every_status_but_the_first_is_reached() -> None:
    assert set(TRANSITIONS.values()) == set(OrderStatus) - {OrderStatus.INITIALIZED}
