"""What is said of an order's events, and the facts beside it: sentences for its page."""

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from orders.domain.reasons import CLOSE_SENTENCES, CloseReason
from orders.domain.values import OrderType, StpMode
from orders.domain.views import AccountEvent, ExecutionView, OrderView
from orders.selectors.histories import OrderHistory
from orders.templatetags.trading_format import fixed, plain, side_word, status_word, type_word

MARKS = {
    "OrderAccepted": "begin",
    "OrderHeld": "begin",
    "OrderQueued": "begin",
    "OrderPartiallyFilled": "fill",
    "OrderFilled": "fill",
    "OrderTriggered": "trigger",
    "OrderCanceled": "end",
    "OrderExpired": "end",
    "OrderReplaced": "end",
}
"""The shape of an event in the picture (orders.domain.picture); any other is a change."""


def order_name(order: OrderView, digits: int) -> str:
    """ "Buy 10 AAPL, Limit 97.00"; a trailing stop is named by its distance, which stays."""
    parts = [type_word(order.type)]
    if order.hwm is not None:
        parts.append(_distance(order, digits))
    elif order.type == OrderType.STOP.value:
        parts.append(fixed(order.stop_price, digits))
    elif order.stop_price is not None:
        parts.append(_("stop %(price)s") % {"price": fixed(order.stop_price, digits)})
    if order.limit_price is not None and OrderType(order.type).names_limit:
        parts.append(fixed(order.limit_price, digits))
    return f"{side_word(order.side)} {plain(order.quantity)} {order.symbol}, {' '.join(parts)}"


def _distance(order: OrderView, digits: int) -> str:
    if order.trail_percent is not None:
        return f"{plain(order.trail_percent)}%"
    return fixed(order.trail_price, digits)


def trail_facts(order: OrderView, digits: int) -> dict[str, str] | None:
    """Where a trailing stop stands and what it does; None for any other order."""
    if order.hwm is None:
        return None
    is_sell = order.side == "SELL"
    follows = (
        _("It follows the highest price since it was accepted, %(distance)s below it.")
        if is_sell
        else _("It follows the lowest price since it was accepted, %(distance)s above it.")
    )
    return {
        "mark": fixed(order.hwm, digits),
        "stop": fixed(order.stop_price, digits),
        "sentence": follows % {"distance": _distance(order, digits)},
    }


def group_sentence(order: OrderView) -> str:
    """What the orders of its group do to one another (docs/order-groups.md); empty without one."""
    sentences = {
        "BRACKET": _(
            "A bracket: when the entry is filled both exits enter, and the first that fills ends"
            " the other."
        ),
        "OTO": _("One triggers the other: when the entry is filled its exit enters."),
        "OCO": _("One cancels the other: the first that fills ends the other."),
    }
    return sentences.get(order.group.order_class, "") if order.group else ""


def event_sentence(event: AccountEvent, digits: int) -> str:
    """What happened, with its numbers; the reason of an end is told apart."""
    order = event.order
    assert order is not None  # asked for by its order
    if event.execution is not None:
        return _fill_sentence(order, event.execution, digits)
    if event.event == "OrderAccepted":
        return _accepted_sentence(order, digits)
    words = {
        "OrderQueued": _("Accepted. It waits for the auction."),
        "OrderHeld": _("Accepted. It waits until the entry of its group is filled."),
        "OrderReleased": _("What it waited for is over; it is in the market."),
        "OrderTriggered": _("The market traded at its stop price: it is in the market."),
        "OrderCanceled": _("Canceled with %(leaves)s unfilled."),
        "OrderExpired": _("Expired with %(leaves)s unfilled."),
        "OrderReplaced": _("Replaced by another order."),
        "OrderAmended": _("Lowered to %(quantity)s in its place, %(left)s left to fill."),
        "OrderDecremented": _("Self-trade prevention took a part away: %(left)s left to fill."),
    }
    unfilled = Decimal(order.quantity) - Decimal(order.filled_quantity)
    values = {
        "quantity": plain(order.quantity),
        "left": plain(order.leaves_quantity),
        "leaves": plain(unfilled - Decimal(order.prevented_quantity)),
    }
    return words[event.event] % values if event.event in words else event.event


def _accepted_sentence(order: OrderView, digits: int) -> str:
    if order.hwm is not None and order.status == "ACCEPTED":
        values = {"mark": fixed(order.hwm, digits), "stop": fixed(order.stop_price, digits)}
        return _("Accepted. Its stop begins at %(stop)s, its mark at %(mark)s.") % values
    if OrderType(order.type).is_stop and order.status == "ACCEPTED":
        return _("Accepted. It waits until the market trades at %(price)s.") % {
            "price": fixed(order.stop_price, digits)
        }
    if order.replaces is not None:
        return _("Accepted in the place of another order.")
    return _("Accepted.")


def _fill_sentence(order: OrderView, execution: ExecutionView, digits: int) -> str:
    values = {
        "quantity": plain(execution.quantity),
        "price": fixed(execution.price, digits),
        "left": plain(order.leaves_quantity),
    }
    if Decimal(order.leaves_quantity) == 0:
        return _("%(quantity)s filled at %(price)s. Nothing is left.") % values
    return _("%(quantity)s filled at %(price)s, %(left)s left to fill.") % values


def reason_sentence(reason: str | None) -> str:
    """Why an order ended, as a sentence; empty without a reason."""
    if not reason:
        return ""
    known = {member.value: sentence for member, sentence in CLOSE_SENTENCES.items()}
    return known.get(reason, reason)


def is_reason_worth_saying(reason: str | None) -> bool:
    """Whether it adds to what the event says itself."""
    return bool(reason) and reason != CloseReason.REPLACED.value


def order_facts(history: OrderHistory) -> list[tuple[str, str]]:
    """Labels and values, those that say something."""
    return [(label, value) for label, value in _facts(history) if value]


def _facts(history: OrderHistory) -> Iterator[tuple[str, str]]:
    order, currency, digits = history.order, history.currency, history.price_digits
    own = [fill for fill in history.executions if fill.order_id == order.id]
    paid = sum((Decimal(fill.price) * Decimal(fill.quantity) for fill in own), Decimal(0))
    fees = sum((Decimal(fill.fee) for fill in own), Decimal(0))
    yield _("Status"), status_word(order.status)
    yield (
        _("Filled"),
        _("%(filled)s of %(quantity)s")
        % {"filled": plain(order.filled_quantity), "quantity": plain(order.quantity)},
    )
    yield _("Left to fill"), plain(order.leaves_quantity) if order.closed_at is None else ""
    yield _("Limit price"), fixed(order.limit_price, digits) if order.limit_price else ""
    yield _("Stop price"), fixed(order.stop_price, digits) if order.stop_price else ""
    yield _("Trails by"), _distance(order, digits) if order.hwm else ""
    yield _("Shows at a time"), plain(order.display_quantity) if order.display_quantity else ""
    yield _("Ordered for"), f"{fixed(order.notional, 2)} {currency}" if order.notional else ""
    yield _("Average price"), fixed(order.average_price, digits) if order.average_price else ""
    yield _("Value of fills"), f"{fixed(paid, 2)} {currency}" if own else ""
    yield _("Fees"), f"{fixed(fees, 2)} {currency}" if own else ""
    yield _("Time in force"), _in_force(order)
    yield _("Conditions"), ", ".join(_conditions(order))
    yield (
        _("Prevented"),
        plain(order.prevented_quantity) if Decimal(order.prevented_quantity) else "",
    )
    yield _("Strategy"), order.strategy or ""
    yield _("Account"), history.account_name
    yield _("Placed by"), _placed_by(history)
    yield _("Client order id"), order.client_order_id
    yield _("Order id"), order.id


def _in_force(order: OrderView) -> str:
    if order.expires_at is None:
        return order.time_in_force
    until = f"{order.expires_at[:10]} {order.expires_at[11:16]} UTC"
    return _("%(name)s until %(time)s") % {"name": order.time_in_force, "time": until}


def _conditions(order: OrderView) -> Iterator[str]:
    if order.post_only:
        yield _("post only")
    if order.reduce_only:
        yield _("reduce only")
    if order.stp_mode != StpMode.REJECT.value:
        mode = order.stp_mode.lower().replace("_", " ")
        yield _("own orders: %(mode)s") % {"mode": mode}


def _placed_by(history: OrderHistory) -> str:
    if not history.key_id:
        return history.placed_by
    return _("%(name)s, API key %(key)s") % {"name": history.placed_by, "key": history.key_id}
