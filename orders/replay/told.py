"""What a replay tells: each command with what came of it, and the state of a moment, as plain
values that become lines of text or JSON.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from core.domain.clock import wire_time
from core.domain.decimals import to_wire
from core.domain.units import units_to_wire
from orders.domain.commands import AnyCommand
from orders.domain.matching.resting import UNKNOWN_AHEAD
from orders.domain.replies import DeniedReply
from orders.domain.values import Side
from orders.domain.views import AccountEvent
from orders.engine.render import order_view
from orders.engine.replaying import Applied
from orders.engine.state import Account, EngineState, Instrument, OrderState
from orders.replay.rows import JournalRow

Told = dict[str, Any]  # Any: JSON

ALL_LEVELS: Final = 1_000_000


def concerns(applied: Applied, instrument: Instrument) -> bool:
    """Whether a command named the instrument, or did something in it."""
    symbol = getattr(applied.command, "symbol", "").replace("/", "")
    return symbol == instrument.symbol.replace("/", "") or any(
        event.order is not None and event.order.symbol == instrument.symbol
        for event in applied.events
    )


def applied_told(row: JournalRow, applied: Applied) -> Told:
    """A command of the journal, with its time and what happened."""
    reply = applied.reply
    told: Told = {
        "batch": row.batch,
        "at": wire_time(applied.now_ns),
        "command": type(applied.command).__name__,
        "fields": _fields(applied.command),
        "events": [_event(event) for event in applied.events],
    }
    return told | ({"denied": reply.reason} if isinstance(reply, DeniedReply) else {})


def applied_line(told: Told) -> str:
    fields = " ".join(f"{name}={value}" for name, value in told["fields"].items())
    events = "; ".join(" ".join(map(str, event.values())) for event in told["events"])
    effect = events or told.get("denied") or "-"
    return f"{told['batch']} {told['at']} {told['command']} {fields}: {effect}"


def _fields(command: AnyCommand) -> Told:
    """What the command says; absent values left out."""
    values = {name: getattr(command, name) for name in command.__struct_fields__}
    return {name: _plain(value) for name, value in values.items() if value not in (None, "")}


def _plain(value: object) -> Any:  # Any: JSON
    if isinstance(value, Decimal):
        return to_wire(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, int) else str(value)


def _event(event: AccountEvent) -> Told:
    """An event in few words; the log has all of it."""
    told: Told = {"event": event.event}
    if event.order is not None:
        order = event.order
        told |= {"order": order.id, "filled": f"{order.filled_quantity}/{order.quantity}"}
    if event.execution is not None:
        told["fill"] = f"{event.execution.quantity}@{event.execution.price}"
    if event.order is not None and event.order.reason:
        told["reason"] = event.order.reason
    return told | {"cash": event.balance.total, "locked": event.balance.locked}


# --- the state of a moment


def state_told(state: EngineState, now_ns: int, only: Instrument | None) -> Told:
    """Books (of one instrument, if only it is asked for) and accounts."""
    instruments = {item.id: item for item in state.instruments.values()}
    books = [only] if only else [instruments[number] for number in sorted(instruments)]
    return {
        "at": wire_time(now_ns),
        "books": [_book(state, instrument, now_ns) for instrument in books],
        "accounts": [_account(account) for _, account in sorted(state.accounts.items())],
    }


def _book(state: EngineState, instrument: Instrument, now_ns: int) -> Told:
    return {
        "symbol": instrument.symbol,
        "state": instrument.state.value,
        "sells": list(_levels(state, instrument, Side.SELL, now_ns)),
        "buys": list(_levels(state, instrument, Side.BUY, now_ns)),
        "stops": [_stop(state.orders[order_id]) for order_id in instrument.stops.waiting()],
    }


def _levels(state: EngineState, instrument: Instrument, side: Side, now_ns: int) -> Iterator[Told]:
    """Best first; each with its resting orders in their order in time."""
    tick, lot = instrument.tick_units, instrument.lot_units
    resting: dict[int, list[Told]] = {}
    for order in instrument.book.resting():
        if order.side is side:
            is_known = order.ahead != UNKNOWN_AHEAD
            resting.setdefault(order.price, []).append(
                {
                    "order": str(order.order_id),
                    "account": state.orders[order.order_id].account.id,
                    "quantity": units_to_wire(order.leaves * lot),
                    "ahead": units_to_wire(order.ahead * lot) if is_known else "unknown",
                }
            )
    for price, quantity in instrument.book.depth(side, ALL_LEVELS, now_ns):
        yield {
            "price": units_to_wire(price * tick),
            "quantity": units_to_wire(quantity * lot),
            "orders": resting.get(price, []),
        }


def _stop(order: OrderState) -> Told:
    view = order_view(order)
    return {
        "order": view.id,
        "account": order.account.id,
        "side": view.side,
        "quantity": view.leaves_quantity,
        "stop_price": view.stop_price,
    }


def _account(account: Account) -> Told:
    return {
        "account": account.id,
        "kind": account.kind,
        "currency": account.currency,
        "total": units_to_wire(account.balance.total),
        "locked": units_to_wire(account.balance.locked),
        "open_orders": len(account.open_orders),
    }


def state_lines(told: Told) -> Iterator[str]:
    for book in told["books"]:
        yield f"{book['symbol']} at {told['at']}, {book['state']}"
        for side in ("sells", "buys"):
            for level in reversed(book[side]) if side == "sells" else book[side]:
                yield f"  {side[:-1]:4} {level['price']:>12} x {level['quantity']}"
                yield from (f"{'':22}{_order_line(order)}" for order in level["orders"])
        for stop in book["stops"]:
            yield f"  stop {stop['stop_price']:>12} {stop['side']} {_order_line(stop)}"
    for account in told["accounts"]:
        yield (
            f"account {account['account']} ({account['kind']}): {account['total']}"
            f" {account['currency']}, {account['locked']} locked,"
            f" {account['open_orders']} open orders"
        )


def _order_line(order: Told) -> str:
    ahead = f", {order['ahead']} ahead" if order.get("ahead", "0") != "0" else ""
    return f"{order['quantity']} of account {order['account']}, order {order['order']}{ahead}"
