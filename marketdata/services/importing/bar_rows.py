"""Stores columns of bars in one statement: for imports, backfills and what ticks draw."""

from typing import Final

import numpy as np
from django.db import connection

from core.batch_sql import EPOCH_SQL, ints
from marketdata.domain.bar_columns import BarColumns

_ITEM: Final = (
    "unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
    " %s::bigint[], %s::bigint[])"
    " AS item (start, open, high, low, close, volume, trade_count, vwap)"
)
_INSERT: Final = f"""
    INSERT INTO marketdata_bar AS bar (instrument_id, timeframe, start, open, high, low, close,
                                       volume, trade_count, vwap, source)
    SELECT %s, %s, {EPOCH_SQL.format("item.start")}, open * 0.00000001, high * 0.00000001,
           low * 0.00000001, close * 0.00000001, volume * 0.00000001, trade_count,
           nullif(vwap, 0) * 0.00000001, %s
    FROM {_ITEM}
    ON CONFLICT (instrument_id, timeframe, start)
"""  # noqa: S608  # names of ours
_CHANGING: Final = ("open", "high", "low", "close", "volume", "trade_count", "vwap", "source")
_REPLACE: Final = (
    "DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
    + " WHERE ("
    + ", ".join(f"bar.{name}" for name in _CHANGING)
    + ") IS DISTINCT FROM ("
    + ", ".join(f"excluded.{name}" for name in _CHANGING)
    + ")"
)


def store_bars(
    columns: BarColumns, *, instrument_id: int, timeframe: str, source: str, replaces: bool
) -> int:
    """Store bars and return how many are new, or (with `replaces`) new or other than before. Of
    several with one start the last is meant.
    """
    if not len(columns.start_us):
        return 0
    _, last = np.unique(columns.start_us[::-1], return_index=True)
    rows = len(columns.start_us) - 1 - last
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT + (_REPLACE if replaces else "DO NOTHING"),
            [instrument_id, timeframe, source, *(ints(item[rows].tolist()) for item in columns)],
        )
        return int(cursor.rowcount)
