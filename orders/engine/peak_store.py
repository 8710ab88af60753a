"""Writes the peaks of trailing stops that a batch changed: rows put in or replaced, and rows taken
away.
"""

from collections.abc import Collection

from core.batch_sql import Write, ints, texts
from orders.engine.changes import PeakKey

Row = tuple[PeakKey, int | None]

_CHANGED = """
INSERT INTO orders_trailpeak (instrument_id, side, after_sequence, price)
SELECT instrument_id, side, after_sequence, price * 0.00000001
FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[])
  AS item (instrument_id, side, after_sequence, price)
ON CONFLICT (instrument_id, side, after_sequence) DO UPDATE SET price = excluded.price
"""
_REMOVED = """
DELETE FROM orders_trailpeak AS peak
USING unnest(%s::bigint[], %s::text[], %s::bigint[]) AS item (instrument_id, side, after_sequence)
WHERE peak.instrument_id = item.instrument_id AND peak.side = item.side
  AND peak.after_sequence = item.after_sequence
"""


def changed_peaks(rows: Collection[Row]) -> Write:
    """Peaks that are new or higher now."""
    found = [(key, price) for key, price in rows if price is not None]
    return Write(_CHANGED, (*_keys([key for key, _ in found]), ints(price for _, price in found)))


def removed_peaks(rows: Collection[Row]) -> Write:
    """Peaks that no order needs any more."""
    return Write(_REMOVED, _keys([key for key, price in rows if price is None]))


def _keys(keys: Collection[PeakKey]) -> tuple[str, str, str]:
    return (
        ints(instrument_id for instrument_id, _, _ in keys),
        texts(side.value for _, side, _ in keys),
        ints(after for _, _, after in keys),
    )
