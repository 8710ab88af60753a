"""Where the mark of a trailing stop stands by what is stored: its row says where it began, the
peaks say what trades have made of it since (docs/matching.md G1, G6).
"""

from decimal import Decimal

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When

from core.domain.decimals import to_wire
from core.domain.units import decimal_to_units, units_to_decimal
from orders.domain.matching.trailing import UNITS_PER_PPM, Distance, stop_at
from orders.domain.values import OrderStatus, OrderType, Side
from orders.models import Order, TrailPeak
from portfolio.models import TradingAccount


def with_peaks(orders: QuerySet[Order]) -> QuerySet[Order]:
    """The same orders, each trailing stop that waits with the peak that it has seen, as `peak`."""
    seen = TrailPeak.objects.filter(
        instrument=OuterRef("instrument"),
        side=OuterRef("side"),
        after_sequence__gte=OuterRef("sequence"),
    ).order_by("after_sequence")
    waits = When(
        type=OrderType.TRAILING_STOP.value,
        status=OrderStatus.ACCEPTED.value,
        rank=F("sequence"),
        then=Subquery(seen.values("price")[:1]),
    )
    return orders.annotate(peak=Case(waits))


def trail_of(order: Order) -> tuple[Decimal | None, Decimal | None]:
    """(stop price, mark) of this moment for an order that was read `with_peaks`."""
    peak: Decimal | None = getattr(order, "peak", None)
    if order.hwm is None or peak is None:
        return order.stop_price, order.hwm
    side = Side(order.side)
    mark = max(order.hwm, peak) if side is Side.SELL else min(order.hwm, peak)
    tick = _units(order.instrument.tick_size)
    distance = Distance(
        ticks=_units(order.trail_price or Decimal(0)) // tick,
        ppm=_units(order.trail_percent or Decimal(0)) // UNITS_PER_PPM,
    )
    ticks = stop_at(side, _units(mark) // tick, distance)
    return units_to_decimal(ticks * tick), mark


def waiting_trails(account: TradingAccount) -> list[dict[str, str]]:
    """The account's trailing stops that wait, as the topic `trails:` tells them."""
    orders = Order.objects.filter(
        account=account,
        type=OrderType.TRAILING_STOP.value,
        status=OrderStatus.ACCEPTED.value,
        closed_at__isnull=True,
    )
    rows = with_peaks(orders).select_related("instrument").order_by("sequence")
    told = []
    for row in rows:
        stop_price, mark = trail_of(row)
        assert stop_price is not None
        assert mark is not None
        told.append({"id": str(row.pk), "hwm": to_wire(mark), "stop_price": to_wire(stop_price)})
    return told


def _units(value: Decimal) -> int:
    units = decimal_to_units(value)
    assert units is not None  # stored so
    return units
