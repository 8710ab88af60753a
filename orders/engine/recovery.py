"""Rebuilds the engine's memory from the committed rows: the one recovery path, used at every start.

Reads accounts, balances, positions, instruments (orders/engine/loading.py), then open orders and
each instrument's last trade; closed orders are not needed. What the rows become is decided in
orders/engine/rebuild.py, which a replay of the journal uses as well.
"""

from decimal import Decimal

from core.domain.clock import to_ns
from orders.domain.matching.trailing import UNITS_PER_PPM
from orders.domain.order_class import Leg, OrderClass
from orders.domain.values import OrderStatus, OrderType, Side, StpMode, TimeInForce
from orders.engine.loading import (
    Connection,
    Row,
    each_row,
    load_accounts,
    load_fee_tiers,
    load_instruments,
    load_positions,
    load_sessions,
    rows_of,
    to_units,
)
from orders.engine.loading_risk import (
    load_dead_men,
    load_limits,
    load_order_sessions,
    load_switches,
    load_watermarks,
)
from orders.engine.market_store import load_market_plan_number, load_market_plans
from orders.engine.rebuild import rebuild
from orders.engine.state import EngineState
from orders.engine.stored import (
    StoredInstrument,
    StoredOrder,
    StoredPeak,
    StoredState,
    StoredTrade,
)
from portfolio.domain.fees import RATE_PER_BPS

_ORDERS = """
SELECT o.id,
  o.sequence,
  o.account_id,
  o.instrument_id,
  o.client_order_id,
  o.side,
  o.type,
  o.time_in_force,
  o.quantity,
  o.limit_price,
  o.stop_price,
  o.rank,
  o.fee_bps,
  o.strategy,
  o.is_opening,
  o.margin_percent,
  o.hold_price,
  o.submitted_by_id,
  o.submitted_key,
  o.request_id,
  o.submitted_at,
  o.expires_at,
  o.status,
  o.filled_quantity,
  o.filled_notional,
  o.updated_at,
  o.replaces,
  o.stp_mode,
  o.post_only,
  o.reduce_only,
  o.forced,
  o.prevented_quantity,
  o.trail_price,
  o.trail_percent,
  o.hwm,
  o.group_id,
  o.leg,
  o.order_class,
  o.display_quantity,
  o.displayed_quantity,
  o.notional,
  o.session_id,
  hold.amount AS hold_placed,
  hold.remaining AS hold
FROM orders_order o LEFT JOIN portfolio_hold hold ON hold.order_id = o.id
WHERE o.closed_at IS NULL ORDER BY o.sequence
"""
RECENT_EXECUTIONS = 100_000
"""How far back an instrument's last trade is looked for. It matters for seconds only (E4)."""

_LAST_TRADES = f"""
SELECT DISTINCT ON (instrument_id) instrument_id, price, occurred_at
FROM (SELECT * FROM orders_execution ORDER BY id DESC LIMIT {RECENT_EXECUTIONS}) AS recent
ORDER BY instrument_id, id DESC
"""  # noqa: S608  # the only thing formatted in is a constant of ours
_TRAIL_PEAKS = """
SELECT instrument_id, side, after_sequence, price FROM orders_trailpeak
ORDER BY instrument_id, side, after_sequence
"""
_COUNTERS = """
SELECT greatest((SELECT coalesce(max(sequence), 0) FROM orders_order),
    (SELECT coalesce(max(rank), 0) FROM orders_order WHERE rank <> sequence)) AS orders,
  (SELECT coalesce(max(id), 0) FROM orders_execution) AS executions,
  (SELECT coalesce(max(id), 0) FROM portfolio_transfer) AS transfers
"""


async def load_state(connection: Connection) -> EngineState:
    """The engine's state as the last commit left it."""
    return rebuild(await load_stored(connection))


async def load_stored(connection: Connection) -> StoredState:
    """The rows that an engine's state is made of, as the last commit left them."""
    instruments = await load_instruments(connection)
    by_id = {row.id: row for row in instruments}
    (counters,) = await rows_of(connection, _COUNTERS)
    return StoredState(
        instruments=instruments,
        accounts=await load_accounts(connection),
        fee_tiers=await load_fee_tiers(connection),
        positions=await load_positions(connection, by_id),
        orders=[
            _order(row, by_id[row["instrument_id"]]) async for row in each_row(connection, _ORDERS)
        ],
        last_trades=[
            StoredTrade(row["instrument_id"], to_units(row["price"]), to_ns(row["occurred_at"]))
            for row in await rows_of(connection, _LAST_TRADES)
        ],
        dead_men=await load_dead_men(connection),
        order_sessions=await load_order_sessions(connection),
        switches=await load_switches(connection),
        sessions=await load_sessions(connection),
        trail_peaks=[
            StoredPeak(
                row["instrument_id"],
                Side(row["side"]),
                row["after_sequence"],
                to_units(row["price"]),
            )
            for row in await rows_of(connection, _TRAIL_PEAKS)
        ],
        market_plans=await load_market_plans(connection),
        market_plan_number=await load_market_plan_number(connection),
        limits=await load_limits(connection),
        watermarks=await load_watermarks(connection),
        order_sequence=counters["orders"],
        execution_number=counters["executions"],
        transfer_number=counters["transfers"],
    )


def _order(row: Row, instrument: StoredInstrument) -> StoredOrder:
    lot = instrument.lot_units
    hold_scale = 1 if row["is_opening"] else lot
    assert row["hold"] is not None or row["leg"], f"open order {row['id']} has no hold"
    return StoredOrder(
        id=row["id"],
        sequence=row["sequence"],
        account_id=row["account_id"],
        instrument_id=row["instrument_id"],
        client_order_id=row["client_order_id"],
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        time_in_force=TimeInForce(row["time_in_force"]),
        quantity=to_units(row["quantity"]) // lot,
        limit_price=_ticks(row["limit_price"], instrument),
        stop_price=_ticks(row["stop_price"], instrument),
        rank=row["rank"],
        fee_rate=int(row["fee_bps"] * RATE_PER_BPS),
        strategy=row["strategy"],
        is_opening=row["is_opening"],
        margin_percent=row["margin_percent"],
        hold_price=_ticks(row["hold_price"], instrument),
        submitted_by_id=row["submitted_by_id"],
        request_id=row["request_id"],
        submitted_ns=to_ns(row["submitted_at"]),
        expires_ns=to_ns(row["expires_at"]) if row["expires_at"] else None,
        status=OrderStatus(row["status"]),
        filled=to_units(row["filled_quantity"]) // lot,
        filled_notional=to_units(row["filled_notional"]),
        hold=to_units(row["hold"] or Decimal(0)) // hold_scale,
        hold_placed=to_units(row["hold_placed"] or Decimal(0)) // hold_scale,
        updated_ns=to_ns(row["updated_at"]),
        replaces=row["replaces"],
        key_id=row["submitted_key"],
        stp_mode=StpMode(row["stp_mode"]),
        post_only=row["post_only"],
        reduce_only=row["reduce_only"],
        forced=row["forced"],
        prevented=to_units(row["prevented_quantity"]) // lot,
        trail_price=_ticks(row["trail_price"], instrument),
        trail_ppm=None
        if row["trail_percent"] is None
        else to_units(row["trail_percent"]) // UNITS_PER_PPM,
        hwm=_ticks(row["hwm"], instrument),
        group_id=row["group_id"],
        leg=Leg(row["leg"]) if row["leg"] else None,
        order_class=OrderClass(row["order_class"]),
        display=to_units(row["display_quantity"]) // lot,
        displayed=to_units(row["displayed_quantity"]) // lot,
        session_id=row["session_id"],
        notional=None if row["notional"] is None else to_units(row["notional"]),
    )


def _ticks(price: Decimal | None, instrument: StoredInstrument) -> int | None:
    return None if price is None else to_units(price) // instrument.tick_units
