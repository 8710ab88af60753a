"""A batch's account events, as the engine's commit writes them. Everyone else uses
core.services.outbox.
"""

from collections.abc import Sequence
from typing import NamedTuple

from core.batch_sql import EPOCH_SQL, Write, ints, micros, texts

_INSERT = f"""
INSERT INTO core_event (kind, version, account_id, account_sequence, payload, occurred_at)
SELECT kind, version, account_id, account_sequence, payload::jsonb, {EPOCH_SQL.format("occurred")}
FROM unnest(%s::text[], %s::smallint[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[])
  AS event (kind, version, account_id, account_sequence, payload, occurred)
"""  # noqa: S608  # the only thing formatted in is a constant of ours


class EventRow(NamedTuple):
    """`payload` is the event as JSON text, `occurred_ns` its time."""

    kind: str
    version: int
    account_id: int
    account_sequence: int
    payload: str
    occurred_ns: int


def events(rows: Sequence[EventRow]) -> Write:
    """The rows, numbered in their order."""
    return Write(
        _INSERT,
        (
            texts(row.kind for row in rows),
            ints(row.version for row in rows),
            ints(row.account_id for row in rows),
            ints(row.account_sequence for row in rows),
            texts(row.payload for row in rows),
            micros(row.occurred_ns for row in rows),
        ),
    )
