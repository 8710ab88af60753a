"""The last part of recovery: trading states and limits of scopes, keys that are watched, and
sessions.
"""

from core.domain.clock import to_ns
from orders.engine.loading import Connection, rows_of, to_units
from orders.engine.stored import (
    StoredDeadMan,
    StoredLimit,
    StoredOrderSession,
    StoredSwitch,
    StoredWatermark,
    limit_order,
)
from risk.domain.limit_tree import LimitKind
from risk.domain.states import TradingState

_STATES = """
SELECT scope,
  state,
  version,
  is_clearing,
  reason,
  request_id,
  changed_by_id,
  changed_at
FROM risk_tradingstate ORDER BY changed_at, scope
"""

_LIMITS = """
SELECT scope,
  kind,
  instrument_id,
  value,
  window_seconds,
  version,
  reason,
  request_id,
  changed_by_id,
  changed_at
FROM risk_limit
"""

_WATERMARKS = """
SELECT account_id, day, opening, highest, stopped FROM risk_watermark ORDER BY account_id
"""

_DEAD_MEN = """
SELECT key_id, account_id, fires_at FROM orders_deadman WHERE fires_at IS NOT NULL ORDER BY key_id
"""

_ORDER_SESSIONS = """
SELECT id, account_id, opened_at FROM orders_ordersession WHERE ended_at IS NULL ORDER BY id
"""


async def load_switches(connection: Connection) -> list[StoredSwitch]:
    """The state of every scope that was ever switched, oldest switch first."""
    return [
        StoredSwitch(
            scope=row["scope"],
            state=TradingState(row["state"]),
            version=row["version"],
            is_clearing=row["is_clearing"],
            reason=row["reason"],
            request_id=row["request_id"],
            changed_by_id=row["changed_by_id"],
            changed_ns=to_ns(row["changed_at"]),
        )
        for row in await rows_of(connection, _STATES)
    ]


async def load_limits(connection: Connection) -> list[StoredLimit]:
    """Every limit that was ever set."""
    rows = [
        StoredLimit(
            scope=row["scope"],
            kind=LimitKind(row["kind"]),
            instrument_id=row["instrument_id"] or 0,
            value=None if row["value"] is None else to_units(row["value"]),
            window_seconds=row["window_seconds"],
            version=row["version"],
            reason=row["reason"],
            request_id=row["request_id"],
            changed_by_id=row["changed_by_id"],
            changed_ns=to_ns(row["changed_at"]),
        )
        for row in await rows_of(connection, _LIMITS)
    ]
    return sorted(rows, key=limit_order)


async def load_watermarks(connection: Connection) -> list[StoredWatermark]:
    """What the accounts' losses are measured from."""
    return [
        StoredWatermark(
            account_id=row["account_id"],
            day=row["day"],
            opening=to_units(row["opening"]),
            highest=to_units(row["highest"]),
            stopped=TradingState(row["stopped"]),
        )
        for row in await rows_of(connection, _WATERMARKS)
    ]


async def load_dead_men(connection: Connection) -> list[StoredDeadMan]:
    """The API keys that are watched."""
    return [
        StoredDeadMan(row["key_id"], row["account_id"], to_ns(row["fires_at"]))
        for row in await rows_of(connection, _DEAD_MEN)
    ]


async def load_order_sessions(connection: Connection) -> list[StoredOrderSession]:
    """The sockets whose orders end with them, those that are open."""
    return [
        StoredOrderSession(row["id"], row["account_id"], to_ns(row["opened_at"]))
        for row in await rows_of(connection, _ORDER_SESSIONS)
    ]
