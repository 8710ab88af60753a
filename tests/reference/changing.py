"""Replace and amend by the rules R1 to R5 and A1 of docs/matching.md. Part of the slow engine."""

from decimal import Decimal
from typing import Protocol
from uuid import UUID

import msgspec

from orders.domain import commands
from orders.domain.values import StpMode
from tests.reference.auction import price_for_auction
from tests.reference.book import ReferenceBook
from tests.reference.checks import check_passage
from tests.reference.groups import check_change
from tests.reference.pace import check_pace, note_let_in
from tests.reference.restricting import check_restriction
from tests.reference.state import Order, ReferenceState, Refused, whole
from tests.reference.stops import Elections
from tests.reference.trailing import follow


class Engine(Protocol):
    """What is needed of the slow engine."""

    orders: list[Order]
    books: dict[str, ReferenceBook]
    marks: set[str]
    elections: Elections[Order]
    now_ns: int

    def open_orders(self, account: int) -> list[Order]: ...

    def draft(self, command: commands.SubmitOrder) -> Order: ...

    def enter(self, order: Order, now_ns: int) -> None: ...

    def next_time(self) -> int: ...

    def tell(self, kind: str, order: Order) -> None: ...


def replace(engine: Engine, command: commands.ReplaceOrder) -> Order:
    """R1 to R4: the successor, after all that its coming did."""
    assert isinstance(engine, ReferenceState)
    old = _open(engine, command.account_id, command.replaces)
    order = engine.draft(_wanted(old, command))
    order.elected = old.elected
    assert isinstance(engine, ReferenceState)
    check_change(engine, old, order)
    if old.status == "HELD":
        return _replace_held(engine, old, order)
    check_pace(engine, order)
    follow(engine, order, old.mark)
    is_collecting = price_for_auction(engine, order)
    _check_as_if_gone(engine, old, order)
    keeps_place = (  # R3
        not old.waits
        and old.status != "QUEUED"
        and order.limit == old.limit
        and order.quantity <= old.leaves
        and order.time_in_force not in ("IOC", "FOK")
    )
    _mark(engine, old, keeps_place)
    note_let_in(engine, order)
    book = engine.books[old.terms.symbol]
    if keeps_place:
        order.shown = min(old.shown, order.quantity)
        book.succeed(old.id, order.id, order.quantity)
    else:
        book.cancel(old.id)
    old.status, old.reason = "REPLACED", "REPLACED"
    engine.tell("OrderReplaced", old)
    order.time = old.time if keeps_place else engine.next_time()
    is_queued = is_collecting and not keeps_place
    order.status = "QUEUED" if is_queued else "ACCEPTED"
    engine.orders.append(order)
    engine.tell("OrderQueued" if is_queued else "OrderAccepted", order)
    if order.elected:  # R4
        order.status = "TRIGGERED"
        order.time = old.time if keeps_place else engine.next_time()
        engine.tell("OrderTriggered", order)
    if not keeps_place and not order.waits and not is_queued:
        engine.enter(order, engine.now_ns)
    return order


def _replace_held(engine: Engine, old: Order, order: Order) -> Order:
    """N9: a leg that is in no book yet."""
    assert isinstance(engine, ReferenceState)
    check_restriction(engine, order)
    is_next = not any(mate.part == "ENTRY" for mate in engine.mates(old))
    engine.marks.add("a held leg was replaced")
    old.status, old.reason = "REPLACED", "REPLACED"
    engine.tell("OrderReplaced", old)
    order.status, order.time = "HELD", engine.next_time()
    engine.orders.append(order)
    engine.tell("OrderHeld", order)
    if is_next:
        engine.elections.queue.append(order)
    return order


def _open(engine: Engine, account: int, order_id: UUID) -> Order:
    for order in engine.open_orders(account):
        if order.id == order_id:
            return order
    raise Refused("ORDER_NOT_OPEN")


def _wanted(old: Order, command: commands.ReplaceOrder) -> commands.SubmitOrder:
    """R1, R4, R5: what is not named is the old order's."""
    left = old.leaves * old.terms.lot
    quantity = Decimal(left.numerator) / Decimal(left.denominator)
    display = old.asked.display_quantity
    same = msgspec.structs.replace(
        old.asked,
        order_id=command.order_id,
        stp_mode=StpMode(old.stp_mode),  # O4
        quantity=quantity,
        display_quantity=None if display is None else min(display, quantity),
    )
    time_in_force = command.time_in_force or same.time_in_force
    trail = "trail_price" if same.trail_percent is None else "trail_percent"
    wanted = msgspec.structs.replace(
        same,
        quantity=command.quantity or same.quantity,
        limit_price=command.limit_price or same.limit_price,
        stop_price=command.stop_price or same.stop_price,
        time_in_force=time_in_force,
        expires_ns=same.expires_ns if time_in_force.value == "GTD" else None,
        **{trail: command.trail or getattr(same, trail)},
    )
    if same.display_quantity is not None and wanted.quantity < same.display_quantity:  # I4
        wanted = msgspec.structs.replace(wanted, display_quantity=wanted.quantity)
    if wanted == same and not command.client_order_id:
        raise Refused("ORDER_UNCHANGED")
    names = ("stop_price", "trail_price", "trail_percent")
    if old.elected and any(getattr(wanted, name) != getattr(same, name) for name in names):
        raise Refused("STOP_ELECTED")
    return wanted


def _check_as_if_gone(engine: Engine, old: Order, order: Order) -> None:
    """R1: the checks of any new order, in a market without the old one's claims."""
    assert isinstance(engine, ReferenceState)
    before = engine.orders
    engine.judged_beside = engine.mates(old) if old.part else []  # N9
    gone = [old, *engine.judged_beside]
    engine.orders = [other for other in before if other not in gone]
    try:
        check_passage(engine, order, engine.now_ns)
    finally:
        engine.orders, engine.judged_beside = before, []


def _mark(engine: Engine, old: Order, keeps_place: bool) -> None:
    engine.marks.add("replaced in its place" if keeps_place else "replaced with another place")
    if old.part:
        engine.marks.add(f"a {old.part} was replaced")
    if old.filled:
        engine.marks.add("replaced after a part was filled")
    if old.elected:
        engine.marks.add("an elected stop was replaced")
    if old.waits and old.mark is not None:
        engine.marks.add("a trailing stop was replaced")
    if old.waits:
        engine.marks.add("a waiting stop was replaced")


def amend(engine: Engine, command: commands.AmendOrder) -> Order:
    """A1: less of it, everything else stays."""
    order = _open(engine, command.account_id, command.order_id)
    if order.part:
        raise Refused("GROUP_TERMS_FIXED")
    if not 0 < command.quantity <= 100_000_000:
        raise Refused("QUANTITY_OUT_OF_RANGE")
    quantity = whole(command.quantity, order.terms.lot)
    if quantity is None:
        raise Refused("QUANTITY_OFF_LOT")
    if not order.filled + order.prevented < quantity < order.quantity:
        raise Refused("AMEND_NOT_LESS")
    engine.books[order.terms.symbol].lower(order.id, order.quantity - quantity)
    order.quantity = quantity
    order.shown = min(order.shown, order.leaves)
    engine.marks.add("amended after a part was filled" if order.filled else "amended")
    engine.tell("OrderAmended", order)
    return order
