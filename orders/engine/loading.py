"""The first half of recovery: instruments, accounts with their balances, and positions, from rows.

Each field is read by its name: one line in the SELECT, one where the object is made. Orders come
afterwards, in orders/engine/recovery.py, for they point at these.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, LiteralString

from django.conf import settings
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from core.domain.clock import to_ns
from core.domain.units import decimal_to_units
from marketdata.domain.market_states import MarketState, Pause
from orders.domain.values import StpMode
from orders.engine.state import LastTrade
from orders.engine.stored import (
    StoredAccount,
    StoredFeeTier,
    StoredInstrument,
    StoredPosition,
    StoredSession,
)
from portfolio.domain.fees import bps_to_rate
from portfolio.domain.margin import Call

Row = dict[str, Any]  # Any: each column its own type
Connection = AsyncConnection[TupleRow]

NO_MARKET: Final = "none"
"""What settings.MARKET says of a portal that runs no feed: nothing there follows one."""

_INSTRUMENTS = """
SELECT instrument.id,
  public_id,
  symbol,
  asset_class,
  quote_currency_id,
  tick_size,
  lot_size,
  min_notional,
  status,
  set_status,
  volatility_bps,
  window_seconds,
  pause_state,
  pause_seconds,
  window_price,
  window_at,
  paused,
  paused_until,
  market_band_bps,
  venue.calendar,
  EXISTS (SELECT FROM marketdata_feedroute route WHERE route.instrument_id = instrument.id)
    AS has_route
FROM marketdata_instrument instrument JOIN marketdata_venue venue ON venue.code = venue_id
ORDER BY instrument.id
"""
_SESSIONS = """
SELECT calendar,
  day,
  opens_at,
  closes_at
FROM marketdata_session ORDER BY calendar, day
"""
_ACCOUNTS = """
SELECT account.id,
  account.public_id,
  account.kind,
  account.currency_id,
  account.desk_id,
  account.owner_id,
  account.stp_mode,
  coalesce(balance.total, 0) AS total,
  coalesce(balance.locked, 0) AS locked,
  coalesce(balance.fees_paid, 0) AS fees_paid,
  account.fee_tier_id,
  account.is_suspended,
  account.is_long_only,
  account.margin_multiplier,
  account.is_shorting_enabled,
  account.margin_called_at,
  account.margin_deadline_at,
  account.forced_closing,
  coalesce((SELECT max(account_sequence) FROM core_event WHERE account_id = account.id), 0)
    AS sequence
FROM portfolio_tradingaccount account
LEFT JOIN portfolio_balance balance
  ON balance.account_id = account.id AND balance.currency_id = account.currency_id
ORDER BY account.id
"""
_FEE_TIERS = """
SELECT code, name, maker_bps, taker_bps FROM portfolio_feetier ORDER BY code
"""
_POSITIONS = """
SELECT account_id,
  instrument_id,
  quantity,
  locked,
  cost_basis,
  realized_pnl
FROM portfolio_position
WHERE quantity <> 0 OR locked <> 0 OR cost_basis <> 0 OR realized_pnl <> 0
ORDER BY account_id, instrument_id
"""


async def rows_of(connection: Connection, statement: LiteralString) -> list[Row]:
    """All that it gives, each row's values by their names."""
    return [row async for row in each_row(connection, statement)]


async def each_row(connection: Connection, statement: LiteralString) -> AsyncIterator[Row]:
    """The same, one after another: a row of many columns takes more memory than what it becomes."""
    async for row in await connection.cursor(row_factory=dict_row).execute(statement):
        yield row


@lru_cache(maxsize=16_384)  # quantities and prices come again and again
def to_units(value: Decimal) -> int:
    """A stored number, which is a whole number of units."""
    units = decimal_to_units(value)
    assert units is not None
    return units


async def load_instruments(connection: Connection) -> list[StoredInstrument]:
    return [_instrument(row) for row in await rows_of(connection, _INSTRUMENTS)]


async def load_sessions(connection: Connection) -> list[StoredSession]:
    return [
        StoredSession(row["calendar"], row["day"], to_ns(row["opens_at"]), to_ns(row["closes_at"]))
        for row in await rows_of(connection, _SESSIONS)
    ]


async def load_accounts(connection: Connection) -> list[StoredAccount]:
    """All accounts with their balances."""
    return [_account(row) for row in await rows_of(connection, _ACCOUNTS)]


async def load_fee_tiers(connection: Connection) -> list[StoredFeeTier]:
    return [_fee_tier(row) for row in await rows_of(connection, _FEE_TIERS)]


async def load_positions(
    connection: Connection, instruments: dict[int, StoredInstrument]
) -> list[StoredPosition]:
    return [
        _position(row, instruments[row["instrument_id"]].lot_units)
        for row in await rows_of(connection, _POSITIONS)
    ]


def _instrument(row: Row) -> StoredInstrument:
    return StoredInstrument(
        id=row["id"],
        public_id=str(row["public_id"]),
        symbol=row["symbol"],
        asset_class=row["asset_class"],
        currency=row["quote_currency_id"],
        tick_units=to_units(row["tick_size"]),
        lot_units=to_units(row["lot_size"]),
        min_notional_units=to_units(row["min_notional"]),
        state=MarketState(row["status"]),
        market_band_bps=row["market_band_bps"],
        calendar_code=row["calendar"],
        set_state=MarketState(row["set_status"]),
        volatility_bps=row["volatility_bps"],
        window_seconds=row["window_seconds"],
        pause_state=MarketState(row["pause_state"]),
        pause_seconds=row["pause_seconds"],
        window=_window(row),
        pause=_pause(row),
        follows_feed=row["has_route"] and settings.MARKET != NO_MARKET,
    )


def _window(row: Row) -> LastTrade | None:
    if row["window_at"] is None:
        return None
    price = to_units(row["window_price"]) // to_units(row["tick_size"])
    return LastTrade(price, to_ns(row["window_at"]))


def _pause(row: Row) -> Pause | None:
    if row["paused_until"] is None:
        return None
    return Pause(MarketState(row["paused"]), to_ns(row["paused_until"]))


def _fee_tier(row: Row) -> StoredFeeTier:
    maker, taker = bps_to_rate(row["maker_bps"]), bps_to_rate(row["taker_bps"])
    assert maker is not None and taker is not None  # the table's constraint
    return StoredFeeTier(row["code"], row["name"], maker, taker)


def _account(row: Row) -> StoredAccount:
    return StoredAccount(
        id=row["id"],
        public_id=str(row["public_id"]),
        kind=row["kind"],
        currency=row["currency_id"],
        total=to_units(row["total"]),
        locked=to_units(row["locked"]),
        fees=to_units(row["fees_paid"]),
        sequence=row["sequence"],
        tier_code=row["fee_tier_id"] or "",
        desk_id=row["desk_id"],
        owner_id=row["owner_id"] or 0,
        stp_mode=StpMode(row["stp_mode"]),
        is_suspended=row["is_suspended"],
        is_long_only=row["is_long_only"],
        multiplier=row["margin_multiplier"],
        is_shorting_enabled=row["is_shorting_enabled"],
        call=_call(row),
    )


def _call(row: Row) -> Call | None:
    if row["margin_called_at"] is None:
        return None
    called_ns, deadline_ns = to_ns(row["margin_called_at"]), to_ns(row["margin_deadline_at"])
    return Call(called_ns, deadline_ns, row["forced_closing"])


def _position(row: Row, lot_units: int) -> StoredPosition:
    return StoredPosition(
        account_id=row["account_id"],
        instrument_id=row["instrument_id"],
        quantity=to_units(row["quantity"]) // lot_units,
        locked=to_units(row["locked"]) // lot_units,
        cost=to_units(row["cost_basis"]),
        realized=to_units(row["realized_pnl"]),
    )
