"""What limits come to: with an order that somebody thinks of, and now (docs/risk.md M15).

Asks the very checks that an order meets, and changes nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from core.domain.units import UNITS_PER_ONE, units_to_wire
from orders.domain.commands import SubmitOrder
from orders.domain.replies import HeadroomView, OutlookView, UsageReply
from orders.engine.legs import check_legs, draft_legs
from orders.engine.limits import WouldBe, bounds_for, equity_of, reference_of, value_at_mark
from orders.engine.outlook import outlook
from orders.engine.passage import worth_of
from orders.engine.placing import check_entry, drafted
from orders.engine.restrictions import words_of
from orders.engine.state import Account, EngineState, OrderState
from orders.engine.step import Step
from risk.domain.limit_tree import LOSSES, PACING, LimitKey, LimitKind
from risk.domain.losses import loss_of
from risk.domain.reasons import Denial
from risk.domain.scopes import Scope, ScopeKind
from risk.domain.usage import ALL, Usage


class WhatIf(NamedTuple):
    """What would refuse the order, if anything, the limits that judge it, what it would be."""

    denial: Denial | None
    limits: Sequence[HeadroomView] = ()
    outlook: OutlookView | None = None


def what_if(step: Step, command: SubmitOrder) -> WhatIf:
    """What placing the order now would come to; of a group all its orders are judged."""
    order = drafted(step, command)
    if isinstance(order, Denial):
        return WhatIf(order)
    legs = draft_legs(step, command, order) if command.group is not None else []
    if isinstance(legs, Denial):
        return WhatIf(legs)
    denial = check_entry(step, order)
    if denial is None and legs:
        denial = check_legs(step, order, legs)
    seen = outlook(step.state, order, step.now_ns) if order.quantity else None
    return WhatIf(denial, _limits(step, order) if order.quantity else (), seen)


def _limits(step: Step, order: OrderState) -> list[HeadroomView]:
    state, now_ns = step.state, step.now_ns
    notional = worth_of(order, now_ns) or 0
    would_be = WouldBe(state, order, notional, now_ns)
    reference = reference_of(order.instrument, now_ns)
    would_be.reference = reference if isinstance(reference, int) and not order.is_waiting else None
    views = []
    for bound in bounds_for(state, order):
        if bound.key.kind in PACING or bound.key.kind in LOSSES:
            continue
        number = would_be(bound.key)
        views.append(
            HeadroomView(
                scope=words_of(state, bound.key.scope),
                kind=bound.key.kind.value.lower(),
                symbol=order.instrument.symbol if bound.key.instrument_id else None,
                limit=units_to_wire(bound.value),
                would_be=None if number is None else units_to_wire(number),
            )
        )
    return views


# --- now


def usage(step: Step) -> UsageReply:
    """What every limit in force that counts anything comes to."""
    used: dict[str, int] = {}
    for key, limit in step.state.limits.by_key.items():
        number = None if limit.value is None else _used(step, key)
        if number is not None:
            used[key.text] = number
    return UsageReply(used)


def _used(step: Step, key: LimitKey) -> int | None:
    state, counted = step.state, step.state.limits.usage
    if key.kind in LOSSES:
        return _lost(step, key)
    if counted is None:
        return None
    match key.kind:
        case LimitKind.OPEN_ORDERS:
            return counted.total(key.scope, key.instrument_id or ALL).orders * UNITS_PER_ONE
        case LimitKind.POSITION:
            lots = _lots(counted, key)
            instruments = state.instruments_by_id
            return max([held * instruments[number].lot_units for number, held in lots], default=0)
        case LimitKind.EXPOSURE:
            return _exposure(step, _lots(counted, key))
        case LimitKind.LEVERAGE:
            return max([_leverage(step, counted, one) for one in _accounts(state, key)], default=0)
    return None


def _lots(counted: Usage, key: LimitKey) -> list[tuple[int, int]]:
    """What the scope holds by instrument, in lots."""
    if key.instrument_id:
        return [(key.instrument_id, counted.total(key.scope, key.instrument_id).lots)]
    return [(number, total.lots) for number, total in counted.held(key.scope).items()]


def _exposure(step: Step, lots: list[tuple[int, int]]) -> int:
    return sum(value_at_mark(step.state, number, held, step.now_ns) for number, held in lots)


def _leverage(step: Step, counted: Usage, account: Account) -> int:
    key = LimitKey(Scope(ScopeKind.ACCOUNT, account.id), LimitKind.EXPOSURE)
    exposure = _exposure(step, _lots(counted, key))
    equity = equity_of(step.state, account, step.now_ns)
    return exposure * UNITS_PER_ONE // equity if equity > 0 else 0


def _lost(step: Step, key: LimitKey) -> int:
    """The largest loss of the scope's accounts."""
    marks = step.state.limits.watermarks
    return max(
        [
            loss_of(marks[one.id], key.kind, equity_of(step.state, one, step.now_ns))
            for one in _accounts(step.state, key)
            if one.id in marks
        ],
        default=0,
    )


def _accounts(state: EngineState, key: LimitKey) -> list[Account]:
    """The accounts of a scope of accounts."""
    return [
        account
        for account in state.accounts.values()
        if account.kind == "CASH"
        and (
            key.scope.kind is ScopeKind.FIRM
            or (key.scope.kind is ScopeKind.DESK and account.desk_id == key.scope.number)
            or (key.scope.kind is ScopeKind.ACCOUNT and account.id == key.scope.number)
        )
    ]
