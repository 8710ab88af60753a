"""Margin accounts in the engine: marks, what an account is worth, whether an order may open.

docs/fees-and-margin.md L1 to L8. Cash accounts never come here.
"""

from core.domain.clock import wire_time
from core.domain.units import units_to_wire
from core.services.audit_log import AuditRow
from orders.domain.commands import SetMargin
from orders.domain.values import Side
from orders.engine.state import Account, EngineState, Instrument, OrderState
from orders.engine.step import Step
from portfolio.domain.fees import fee_of
from portfolio.domain.margin import (
    MULTIPLIERS,
    Exposure,
    MarginState,
    initial_percent,
    margin_state,
    share_of,
)
from portfolio.domain.positions import PositionState
from risk.domain import checks
from risk.domain.reasons import Denial, DenialReason


def twice_the_mark(instrument: Instrument, now_ns: int) -> int | None:
    """Two times the instrument's mark in ticks (L2); None without street and last trade."""
    middle = instrument.book.twice_the_middle(now_ns)
    if middle is not None:
        return middle
    return None if instrument.last_trade is None else 2 * instrument.last_trade.price


def value_of(instrument: Instrument, position: PositionState, now_ns: int) -> int:
    """What the position is worth, in units, rounded down."""
    mark = twice_the_mark(instrument, now_ns)
    if mark is None:
        return position.cost
    return position.quantity * mark * instrument.value_units // 2


def margin_of(state: EngineState, account: Account, now_ns: int) -> MarginState:
    """The account's margin as of now."""
    exposures = []
    for instrument_id, position in account.positions.items():
        if position.quantity:
            instrument = state.instruments_by_id[instrument_id]
            value = value_of(instrument, position, now_ns)
            exposures.append(Exposure(value, instrument.is_marginable))
    return margin_state(
        cash=account.balance.total,
        held=account.balance.locked,
        multiplier=account.multiplier,
        exposures=exposures,
    )


def check_margin(
    state: EngineState, order: OrderState, notional: int, now_ns: int
) -> Denial | None:
    """Whether the margin account may open or close this, and how much of it the order requires."""
    account, instrument = order.account, order.instrument
    position = account.position(instrument.id)
    lot = instrument.lot_units
    if not order.is_opening:
        held = abs(position.quantity)
        return checks.check_position(
            order.quantity * lot, held * lot, position.locked * lot, instrument.symbol
        )
    if account.call is not None:
        deadline = wire_time(account.call.deadline_ns)
        return Denial(DenialReason.MARGIN_CALLED, {"deadline": deadline})
    denial = _check_opening(order, position)
    if denial is not None:
        return denial
    is_short = order.side is Side.SELL
    order.margin_percent = initial_percent(
        account.multiplier, is_marginable=instrument.is_marginable, is_short=is_short
    )
    named = order.limit_price or order.stop_price
    if is_short and named is not None:
        order.hold_price = _short_price(order, named, now_ns)
        notional = order.hold_price * order.quantity * instrument.value_units
    required = share_of(notional, order.margin_percent) + fee_of(notional, order.fee_rate)
    excess = margin_of(state, account, now_ns).excess
    return checks.check_funds(required, max(excess, 0), account.currency)


def _check_opening(order: OrderState, position: PositionState) -> Denial | None:
    """L4 and L7."""
    account, instrument = order.account, order.instrument
    is_buy = order.side is Side.BUY
    if not is_buy and (not account.is_shorting_enabled or account.is_long_only):
        requested = order.quantity * instrument.lot_units
        return checks.check_position(requested, 0, 0, instrument.symbol)
    if not is_buy and not instrument.is_shortable:
        return Denial(DenialReason.NOT_SHORTABLE, {"symbol": instrument.symbol})
    if position.openings < 0 if is_buy else position.openings > 0:
        return Denial(DenialReason.OPENING_ORDERS_MIXED, {"symbol": instrument.symbol})
    return None


def _short_price(order: OrderState, named: int, now_ns: int) -> int:
    """L6: what a short sale is judged by, in ticks."""
    mark = twice_the_mark(order.instrument, now_ns)
    return named if mark is None else max(named, (mark + 1) // 2)


def withdrawable(state: EngineState, account: Account, now_ns: int) -> int:
    """L8."""
    return max(min(account.balance.free, margin_of(state, account, now_ns).excess), 0)


def set_margin(step: Step, command: SetMargin) -> Denial | None:
    """Make the account a margin account or a cash account (L1)."""
    account = step.state.accounts.get(command.account_id)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    denial = _check_terms(account, command)
    if denial is not None:
        return denial
    before = account.multiplier
    account.multiplier = command.multiplier
    account.is_shorting_enabled = command.is_shorting_enabled
    account.balance.is_overdraft_allowed = account.is_margin
    step.state.margin_accounts[account.id] = step.state.to_judge[account.id] = account
    step.changes.account_terms[account.id] = account
    step.changes.balance(account)
    for instrument_id in account.positions:
        step.changes.position(account, step.state.instruments_by_id[instrument_id])
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action="AccountMarginSet",
            target=f"trading-account:{account.id}",
            reason=command.reason,
            facts={
                "multiplier": str(command.multiplier),
                "multiplier_before": str(before),
                "shorting_enabled": str(command.is_shorting_enabled).lower(),
            },
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )
    return None


def _check_terms(account: Account, command: SetMargin) -> Denial | None:
    if command.multiplier not in MULTIPLIERS or (
        command.multiplier == 1 and command.is_shorting_enabled
    ):
        return Denial(DenialReason.MARGIN_INVALID, {})
    if account.open_orders:
        open_orders = str(len(account.open_orders))
        return Denial(DenialReason.MARGIN_ORDERS_OPEN, {"open_orders": open_orders})
    is_short = any(position.quantity < 0 for position in account.positions.values())
    is_indebted = account.balance.total < 0
    if (is_short and not command.is_shorting_enabled) or (is_indebted and command.multiplier == 1):
        return Denial(DenialReason.MARGIN_IN_USE, {"total": units_to_wire(account.balance.total)})
    return None
