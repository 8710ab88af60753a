"""The engine's memory as plain values that compare equal exactly when nothing that matters differs.

What stands ahead of an order on the street is left out, and so is the last trade, which may be a
print of the street: the street is not stored, so a restart cannot know it.
"""

from typing import Any

from orders.domain.values import Side
from orders.engine.state import Account, EngineState, Instrument, OrderState

Dump = dict[str, Any]  # Any: nested plain values


def dump(state: EngineState) -> Dump:
    """Accounts, open orders in time order, books in priority order, instruments, counters."""
    instruments = {item.id: item for item in state.instruments.values()}
    return {
        "accounts": {item.id: _account(item) for item in state.accounts.values()},
        "orders": [_order(order) for order in state.orders.values()],
        "instruments": {number: _instrument(item) for number, item in instruments.items()},
        "trading": {scope.key: held for scope, held in state.trading.by_scope.items()},
        "restricted": state.trading.restricted,
        "clearing": [
            (item.scope.key, item.reason, [str(order_id) for order_id in item.orders])
            for item in state.trading.clearing
        ],
        "margin_accounts": sorted(state.margin_accounts),
        "limits": {key.text: limit for key, limit in sorted(state.limits.by_key.items())},
        "usage": _usage(state),
        "watermarks": dict(sorted(state.limits.watermarks.items())),
        "elections": [str(order_id) for order_id in state.elections],
        "fee_tiers": {
            code: (tier.name, tier.maker, tier.taker) for code, tier in state.fee_tiers.items()
        },
        "order_sessions": dict(sorted(state.order_sessions.items())),
        "market_plans": dict(sorted(state.market_plans.items())),
        "market_plan_number": state.market_plan_number,
        "next_market_ns": state.next_market_ns,
        "dead_men": dict(sorted(state.dead_men.items())),
        "calendars": {code: found.sessions for code, found in sorted(state.calendars.items())},
        "street": state.street_id,
        "house": state.house_id,
        "counters": (state.order_sequence, state.execution_number, state.transfer_number),
    }


def whole(state: EngineState) -> Dump:
    """The same with all that a restart forgets: the street, what stands ahead, the last trades."""
    instruments = {item.id: item for item in state.instruments.values()}
    return dump(state) | {
        "street levels": {number: _street(item) for number, item in instruments.items()},
        "last trades": {number: item.last_trade for number, item in instruments.items()},
        "ahead": {
            number: [(order.order_id, order.ahead) for order in item.book.resting()]
            for number, item in instruments.items()
        },
    }


def _usage(state: EngineState) -> Any:  # Any: nested plain values
    """What limits count, without what counts nothing."""
    usage = state.limits.usage
    if usage is None:
        return None
    return {
        (scope.key, number): (total.orders, total.lots)
        for scope, held in sorted(usage.totals.items())
        for number, total in sorted(held.items())
        if total.orders or total.lots
    }


def _street(instrument: Instrument) -> Any:  # Any: nested plain values
    street = instrument.book._street
    levels = [list(street._levels[side].items()) for side in Side]
    return levels, street.ends_ns


def _account(account: Account) -> Dump:
    balance = account.balance
    return {
        "public_id": account.public_id,
        "kind": account.kind,
        "currency": account.currency,
        "stp": (account.owner_id, account.stp_mode),
        "balance": (balance.total, balance.locked, balance.is_overdraft_allowed, balance.fees),
        "margin": (account.multiplier, account.is_shorting_enabled, account.call),
        "openings": {
            number: position.openings
            for number, position in account.positions.items()
            if position.openings
        },
        "configuration": (account.is_suspended, account.is_long_only),
        "fee_tier": account.tier.code,
        "positions": {
            number: (position.quantity, position.locked, position.cost, position.realized)
            for number, position in account.positions.items()
            if any((position.quantity, position.locked, position.cost, position.realized))
        },
        "open_orders": [str(order_id) for order_id in account.open_orders],
        "sequence": account.sequence,
        "desk_id": account.desk_id,
    }


def _order(order: OrderState) -> Dump:
    fields = {name: getattr(order, name) for name in OrderState.__struct_fields__}
    fields["account"] = order.account.id
    fields["instrument"] = order.instrument.id
    return fields


def _instrument(instrument: Instrument) -> Dump:
    left_out = ("book", "stops", "trails", "last_trade", "calendar", "queue", "closing")
    fields = {
        name: getattr(instrument, name) for name in Instrument.__slots__ if name not in left_out
    }
    fields["calendar"] = instrument.calendar.code if instrument.calendar else None
    fields["queue"] = [str(order_id) for order_id in instrument.queue]
    fields["closing"] = [str(order_id) for order_id in instrument.closing]
    fields["stops"] = [str(order_id) for order_id in instrument.stops.waiting()]
    fields["trails"] = [
        (side.value, trails.peaks(), [str(entry.order_id) for entry in trails.waiting()])
        for side, trails in (instrument.trails.sides if instrument.trails else {}).items()
        if not trails.is_empty
    ]
    fields["book"] = [
        (str(order.order_id), order.owner_id, order.side.value, order.price, order.leaves)
        for order in instrument.book.resting()
    ]
    return fields
