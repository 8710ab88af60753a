"""Compares two pictures of what the database keeps, row by row: what is stored, and what a replay
of the journal came to.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.domain.units import units_to_wire
from orders.engine.stored import StoredInstrument, StoredRow, StoredState, copied

_ENGINE_WRITES: Final = (
    "state",
    "set_state",
    "market_band_bps",
    "volatility_bps",
    "window_seconds",
    "pause_state",
    "pause_seconds",
    "window",
    "pause",
)
"""What of an instrument only the engine changes."""

Key = tuple[Any, ...]  # Any: numbers or a UUID
Told = dict[str, Any]  # Any: each field its own type
Rows = Mapping[Key, Told]

_MONEY: Final = frozenset(
    {
        "total",
        "fees",
        "cost",
        "realized",
        "filled_notional",
        "notional",
        "price_units",
        "opening",
        "highest",
    }
)
_PRICES: Final = frozenset({"limit_price", "stop_price", "hold_price", "trail_price", "hwm"})
_QUANTITIES: Final = frozenset({"quantity", "filled", "prevented", "display", "displayed"})
_HOLDS: Final = frozenset({"hold", "hold_placed", "locked"})
"""Money of an account or an order that opens, quantity of a position or an order that closes."""


def disagreements(stored: StoredState, replayed: StoredState) -> list[str]:
    """What is stored otherwise than it was replayed, the missing and the made up included.

    Terms of instruments may change while no engine runs, and instruments and accounts may be new
    then, without money: reference data is no work of the engine.
    """
    is_, should = _Picture(stored), _Picture(replayed)
    known = {row.id for row in replayed.instruments}
    accounts = {row.id for row in replayed.accounts}
    return [
        *_rows(
            "instrument",
            {key: row for key, row in is_.instruments.items() if key[0] in known},
            should.instruments,
        ),
        *_rows(
            "account",
            {
                key: row
                for key, row in is_.accounts.items()
                if key[0] in accounts
                or row["total"] != "0"
                or row["locked"] != "0"
                or row["sequence"]
            },
            should.accounts,
        ),
        *_rows("fee tier", is_.fee_tiers, should.fee_tiers),
        *_rows("position", is_.positions, should.positions),
        *_rows("order", is_.orders, should.orders),
        *_rows("watched key", is_.dead_men, should.dead_men),
        *_rows("order session", is_.order_sessions, should.order_sessions),
        *_rows("session", is_.sessions, should.sessions),
        *_rows("market plan", is_.market_plans, should.market_plans),
        *_rows("trading state", is_.switches, should.switches),
        *_rows("trail peak", is_.trail_peaks, should.trail_peaks),
        *_rows("limit", is_.limits, should.limits),
        *_rows("watermark", is_.watermarks, should.watermarks),
        *_rows("last trade", is_.last_trades, should.last_trades),
        *_rows("engine", is_.counters, should.counters),
    ]


class _Picture:
    """Rows by their keys, with amounts as the decimals that the tables show: ticks and lots may
    have changed in between.
    """

    def __init__(self, state: StoredState) -> None:
        terms = {row.id: row for row in state.instruments}
        self.instruments: Rows = {
            (row.id,): copied(row, _ENGINE_WRITES) for row in state.instruments
        }
        self.accounts: Rows = {(row.id,): _told(row, None) for row in state.accounts}
        self.fee_tiers: Rows = {(row.code,): _told(row, None) for row in state.fee_tiers}
        self.positions: Rows = {
            (row.account_id, row.instrument_id): _told(row, terms[row.instrument_id])
            for row in state.positions
        }
        self.orders: Rows = {
            (row.id,): _told(row, terms[row.instrument_id], row.is_opening) for row in state.orders
        }
        self.dead_men: Rows = {(row.key_id,): _told(row, None) for row in state.dead_men}
        self.order_sessions: Rows = {(row.id,): _told(row, None) for row in state.order_sessions}
        self.sessions: Rows = {(row.calendar, row.day): _told(row, None) for row in state.sessions}
        self.market_plans: Rows = {(row.id,): _told(row, None) for row in state.market_plans}
        self.switches: Rows = {(row.scope,): _told(row, None) for row in state.switches}
        self.trail_peaks: Rows = {
            (row.instrument_id, row.side, row.after): _told(row, None) for row in state.trail_peaks
        }
        self.limits: Rows = {
            (row.scope, row.kind, row.instrument_id): _told(row, None) for row in state.limits
        }
        self.watermarks: Rows = {(row.account_id,): _told(row, None) for row in state.watermarks}
        self.last_trades: Rows = {
            (row.instrument_id,): _told(row, None) for row in state.last_trades
        }
        names = ("order_sequence", "execution_number", "transfer_number", "market_plan_number")
        self.counters: Rows = {("counters",): copied(state, names)}


def _told(row: StoredRow, terms: StoredInstrument | None, is_opening: bool = True) -> Told:
    told = copied(row, row.__struct_fields__)
    for name, value in told.items():
        scale = _scale(name, terms, is_opening=is_opening)
        if scale and value is not None:
            told[name] = units_to_wire(value * scale)
    return told


def _scale(name: str, terms: StoredInstrument | None, *, is_opening: bool) -> int:
    """How many units of 10^-8 one of this field is; 0 when it is no amount."""
    if name in _PRICES and terms is not None:
        return terms.tick_units
    if name in _QUANTITIES and terms is not None:
        return terms.lot_units
    if name in _HOLDS:
        return 1 if terms is None or is_opening else terms.lot_units
    return 1 if name in _MONEY else 0


def _rows(what: str, stored: Rows, replayed: Rows) -> Iterator[str]:
    for key, should in replayed.items():
        is_ = stored.get(key)
        if is_ is None:
            yield f"{_name(what, key)} is not stored; replayed: {_fields(should)}"
        elif is_ != should:
            yield f"{_name(what, key)}: {_difference(is_, should)}"
    for key, is_ in stored.items():
        if key not in replayed:
            yield f"{_name(what, key)} is stored and not in the journal: {_fields(is_)}"


def _name(what: str, key: Key) -> str:
    return f"{what} {' / '.join(map(str, key))}"


def _fields(told: Told) -> str:
    return ", ".join(f"{name} {value}" for name, value in told.items())


def _difference(is_: Told, should: Told) -> str:
    """The fields that differ: "filled is 5, replayed 4"."""
    return "; ".join(
        f"{name} is {is_[name]}, replayed {should[name]}"
        for name in should
        if is_[name] != should[name]
    )
