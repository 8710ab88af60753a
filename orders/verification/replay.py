"""Replays every execution in order and compares the outcome with the stored positions.

Average cost depends on the whole path, so no single statement can tell it. The executions are
streamed once, in the order in which they happened; memory holds one state for each position. Units
travel as numeric: sums of the house and the street outgrow 64 bits.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from django.db import connection

from core.domain.units import units_to_wire
from orders.verification.values import Discrepancy
from portfolio.domain.positions import PositionState, apply_fill

Key = tuple[int, int]
"""(account, instrument)"""

_EXECUTIONS: Final = """
SELECT account_id, instrument_id, is_with_street, signed, notional
FROM (
  SELECT id, account_id, instrument_id,
    count(*) OVER (PARTITION BY trade_id) = 1 AS is_with_street,
    CASE side WHEN 'BUY' THEN quantity ELSE -quantity END * 100000000 AS signed,
    round(price * quantity * 100000000) AS notional
  FROM orders_execution
) AS execution ORDER BY id
"""

_POSITIONS: Final = """
SELECT account_id, instrument_id, quantity * 100000000, cost_basis * 100000000,
  realized_pnl * 100000000
FROM portfolio_position ORDER BY account_id, instrument_id
"""

_STREET: Final = "SELECT id FROM portfolio_tradingaccount WHERE kind = 'STREET'"


class Held(NamedTuple):
    """A position in units of 10^-8."""

    quantity: int
    cost: int
    realized: int

    def __str__(self) -> str:
        quantity, cost, realized = (units_to_wire(part) for part in self)
        return f"{quantity} for {cost}, realized {realized}"


NOTHING: Final = Held(0, 0, 0)


def position_discrepancies(fetch_size: int) -> Iterator[Discrepancy]:
    """Positions that differ from what the executions make of them, by account and instrument."""
    replayed = _replay(fetch_size)
    stored = _stored(fetch_size)
    for key in sorted(stored.keys() | replayed.keys()):
        state = replayed.get(key, PositionState())
        expected = Held(state.quantity, state.cost, state.realized)
        found = stored.get(key, NOTHING)
        if found != expected:
            account_id, instrument_id = key
            yield Discrepancy(
                "position",
                f"position of account {account_id} in instrument {instrument_id}",
                f"is {found}; the executions make it {expected}",
            )


def _replay(fetch_size: int) -> dict[Key, PositionState]:
    """Every position that the executions lead to, the street's mirrored from its trades."""
    positions: dict[Key, PositionState] = {}
    street_id = _street_id()
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EXECUTIONS)
        while rows := cursor.fetchmany(fetch_size):
            for account_id, instrument_id, is_with_street, signed, notional in rows:
                quantity, value = int(signed), int(notional)
                _fill(positions, (account_id, instrument_id), quantity, value)
                if is_with_street:
                    _fill(positions, (street_id, instrument_id), -quantity, value)
    return positions


def _fill(positions: dict[Key, PositionState], key: Key, signed: int, notional: int) -> None:
    position = positions.get(key)
    if position is None:
        position = positions[key] = PositionState()
    apply_fill(position, signed, notional)


def _street_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_STREET)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _stored(fetch_size: int) -> dict[Key, Held]:
    stored: dict[Key, Held] = {}
    with connection.chunked_cursor() as cursor:
        cursor.execute(_POSITIONS)
        while rows := cursor.fetchmany(fetch_size):
            for account_id, instrument_id, *amounts in rows:
                stored[account_id, instrument_id] = Held(*map(int, amounts))
    return stored
