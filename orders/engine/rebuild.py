"""Makes the engine's memory of what the database keeps: the one way, used by every start and by
every replay of a start, so that the two cannot disagree.

Open orders rest or wait again in their order in time. What was not stored is gone: the street, what
stood ahead of the orders on it (Q5), queued elections and prints (E8).
"""

from marketdata.domain.market_plans import MarketPlan
from marketdata.domain.sessions import Calendar, Session
from orders.domain.matching.trailing import Peak, TrailBook
from orders.domain.values import OrderStatus
from orders.engine.grouping import is_armed
from orders.engine.limit_setting import restore_limits
from orders.engine.state import (
    Account,
    EngineState,
    Instrument,
    LastTrade,
    OrderState,
)
from orders.engine.stored import (
    ACCOUNT_FIELDS,
    LIMIT_FIELDS,
    ORDER_FIELDS,
    SWITCH_FIELDS,
    WATERMARK_FIELDS,
    StoredAccount,
    StoredOrder,
    StoredState,
    copied,
)
from orders.engine.trading_states import resume_clearing
from orders.engine.watches import DeadMan, OrderSession
from portfolio.domain.balances import BalanceState
from portfolio.domain.fees import NO_FEES, FeeTier
from portfolio.domain.positions import PositionState
from risk.domain.limit_tree import Limit, LimitKey
from risk.domain.losses import Watermark
from risk.domain.scopes import read_scope
from risk.domain.states import ScopeState


def rebuild(stored: StoredState) -> EngineState:
    """The state of an engine that starts on these rows."""
    state = EngineState(
        order_sequence=stored.order_sequence,
        execution_number=stored.execution_number,
        transfer_number=stored.transfer_number,
        market_plan_number=stored.market_plan_number,
    )
    by_id = _add_instruments(state, stored)
    for tier in stored.fee_tiers:
        state.fee_tiers[tier.code] = FeeTier(**copied(tier, tier.__struct_fields__))
    for account in stored.accounts:
        _add_account(state, account)
    for position in stored.positions:
        state.accounts[position.account_id].positions[position.instrument_id] = PositionState(
            position.quantity, position.locked, position.cost, position.realized
        )
    for peak in stored.trail_peaks:
        instrument = by_id[peak.instrument_id]
        instrument.trails = instrument.trails or TrailBook()
        ticks = peak.price_units // instrument.tick_units
        instrument.trails.sides[peak.side].restore_peak(Peak(peak.after, ticks))
    for row in stored.orders:
        state.add_order(_order(row, state, by_id[row.instrument_id]))
    _restore_all(state)
    for trade in stored.last_trades:
        instrument = by_id[trade.instrument_id]
        ticks = trade.price_units // instrument.tick_units
        instrument.last_trade = LastTrade(ticks, trade.at_ns)
    _add_watches(state, stored)
    _plan_markets(state, stored)
    _restore_risk(state, stored)
    return state


def _restore_risk(state: EngineState, stored: StoredState) -> None:
    """Trading states and limits, and the switch that was at work."""
    for switch in stored.switches:
        state.trading.by_scope[read_scope(switch.scope)] = ScopeState(
            **copied(switch, SWITCH_FIELDS)
        )
    for limit in stored.limits:
        key = LimitKey(read_scope(limit.scope), limit.kind, limit.instrument_id)
        state.limits.by_key[key] = Limit(**copied(limit, LIMIT_FIELDS))
    for mark in stored.watermarks:
        state.limits.watermarks[mark.account_id] = Watermark(**copied(mark, WATERMARK_FIELDS))
    restore_limits(state)
    resume_clearing(state)


def _plan_markets(state: EngineState, stored: StoredState) -> None:
    """What changes markets by itself: plans, and the pauses that instruments are in."""
    for plan in stored.market_plans:
        state.market_plans[plan.id] = MarketPlan(**copied(plan, plan.__struct_fields__))
    state.note_market_time()


def _add_instruments(state: EngineState, stored: StoredState) -> dict[int, Instrument]:
    """Calendars, and the instruments that keep them; returns the instruments by their id."""
    for day in stored.sessions:
        calendar = state.calendars.setdefault(day.calendar, Calendar(day.calendar))
        calendar.change([Session(day.day, day.opens_ns, day.closes_ns)], ())
    by_id: dict[int, Instrument] = {}
    for row in stored.instruments:
        by_id[row.id] = Instrument(**copied(row, row.__struct_fields__))
        state.add_instrument(by_id[row.id])
    return by_id


def _add_watches(state: EngineState, stored: StoredState) -> None:
    """The keys that are watched, and the sockets whose orders end with them."""
    for man in stored.dead_men:
        state.dead_men[man.key_id] = DeadMan(man.key_id, man.account_id, man.fires_ns)
    for found in stored.order_sessions:
        state.order_sessions[found.id] = OrderSession(found.id, found.account_id, found.opened_ns)


def _add_account(state: EngineState, row: StoredAccount) -> None:
    state.accounts[row.id] = Account(
        **copied(row, ACCOUNT_FIELDS),
        balance=BalanceState(
            row.total,
            row.locked,
            row.fees,
            is_overdraft_allowed=row.kind != "CASH" or row.multiplier > 1,
        ),
        tier=state.fee_tiers[row.tier_code] if row.tier_code else NO_FEES,
    )
    if row.multiplier > 1 or row.call is not None:
        state.margin_accounts[row.id] = state.accounts[row.id]
    if row.kind == "STREET":
        state.street_id = row.id
    if row.kind == "HOUSE":
        state.house_id = row.id


def _order(row: StoredOrder, state: EngineState, instrument: Instrument) -> OrderState:
    account = state.accounts[row.account_id]
    return OrderState(**copied(row, ORDER_FIELDS), account=account, instrument=instrument)


def _restore_all(state: EngineState) -> None:
    """Open orders in their order in time; then the legs whose entry is done take their turns."""
    for order in sorted(state.orders.values(), key=lambda order: order.rank):
        _restore(state, order)
    for order in state.orders.values():
        if order.status is OrderStatus.HELD and is_armed(state, order):
            state.elections.append(order.id)


def _restore(state: EngineState, order: OrderState) -> None:
    """Let the order wait or rest again."""
    if order.status is OrderStatus.HELD:
        return
    if order.status is OrderStatus.QUEUED:
        state.enqueue(order)
        return
    if order.is_waiting:
        state.wait(order)
        return
    assert order.limit_price is not None, f"order {order.id} is open and cannot rest"
    order.instrument.book.restore(
        order.id, order.account.owner_id, order.side, order.limit_price, order.leaves
    )
    if order.display:
        order.instrument.book.hide(order.id, order.display, order.displayed)
