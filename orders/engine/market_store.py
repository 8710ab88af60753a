"""Writes what the engine keeps of instruments, and writes and reads planned market states."""

from core.batch_columns import WriteRows, number, text, time, units, update, upsert
from core.domain.clock import to_ns
from marketdata.domain.market_plans import MarketPlan, PlanStatus
from marketdata.domain.market_states import MarketState
from orders.engine.loading import Connection, rows_of
from orders.engine.state import Instrument
from orders.engine.stored import StoredMarketPlan

instruments: WriteRows[Instrument] = update(
    "marketdata_instrument",
    key=number("id", lambda rows: [row.id for row in rows]),
    changing=(
        text("status", lambda rows: [row.state.value for row in rows]),
        text("set_status", lambda rows: [row.set_state.value for row in rows]),
        number("market_band_bps", lambda rows: [row.market_band_bps for row in rows]),
        number("volatility_bps", lambda rows: [row.volatility_bps for row in rows]),
        number("window_seconds", lambda rows: [row.window_seconds for row in rows]),
        text("pause_state", lambda rows: [row.pause_state.value for row in rows]),
        number("pause_seconds", lambda rows: [row.pause_seconds for row in rows]),
        units(
            "window_price",
            lambda rows: [row.window and row.window.price * row.tick_units for row in rows],
        ),
        time("window_at", lambda rows: [row.window and row.window.at_ns for row in rows]),
        text("paused", lambda rows: [row.pause and row.pause.state.value for row in rows]),
        time("paused_until", lambda rows: [row.pause and row.pause.until_ns for row in rows]),
    ),
)
"""The state of each instrument's market, and its bands."""

market_plans: WriteRows[MarketPlan] = upsert(
    "orders_marketplan",
    key=(number("id", lambda rows: [row.id for row in rows]),),
    changing=(
        text("status", lambda rows: [row.status.value for row in rows]),
        time("changed_at", lambda rows: [row.changed_ns for row in rows]),
    ),
    fixed=(
        number("instrument_id", lambda rows: [row.instrument_id for row in rows]),
        text("state", lambda rows: [row.state.value for row in rows]),
        time("from_at", lambda rows: [row.from_ns for row in rows]),
        time("until_at", lambda rows: [row.until_ns for row in rows]),
        text("reason", lambda rows: [row.reason for row in rows]),
        number("planned_by_id", lambda rows: [row.planned_by_id for row in rows]),
    ),
)
"""The plans as the batch left them."""

_PLANS = """
SELECT id,
  instrument_id,
  state,
  from_at,
  until_at,
  reason,
  planned_by_id,
  status,
  changed_at
FROM orders_marketplan WHERE status IN ('KNOWN', 'RUNNING') ORDER BY id
"""
_NUMBER = """
SELECT coalesce(max(id), 0) AS number FROM orders_marketplan
WHERE status NOT IN ('PLANNED', 'REFUSED')
"""


async def load_market_plans(connection: Connection) -> list[StoredMarketPlan]:
    """The plans that have not begun or are running."""
    return [
        StoredMarketPlan(
            id=row["id"],
            instrument_id=row["instrument_id"],
            state=MarketState(row["state"]),
            from_ns=to_ns(row["from_at"]),
            until_ns=to_ns(row["until_at"]) if row["until_at"] else None,
            reason=row["reason"],
            planned_by_id=row["planned_by_id"],
            status=PlanStatus(row["status"]),
            changed_ns=to_ns(row["changed_at"]),
        )
        for row in await rows_of(connection, _PLANS)
    ]


async def load_market_plan_number(connection: Connection) -> int:
    """Of the newest plan that an engine ever knew."""
    (row,) = await rows_of(connection, _NUMBER)
    return int(row["number"])
