"""A batch's account events, as the engine's commit writes them. Everyone else uses
core.services.outbox.
"""

import msgspec

from core.batch_columns import WriteRows, document, insert, number, text, time


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """`payload` is the event as JSON text, `occurred_ns` its time."""

    kind: str
    version: int
    account_id: int
    account_sequence: int
    payload: str
    occurred_ns: int


events: WriteRows[EventRow] = insert(
    "core_event",
    (
        text("kind", lambda rows: [row.kind for row in rows]),
        number("version", lambda rows: [row.version for row in rows]),
        number("account_id", lambda rows: [row.account_id for row in rows]),
        number("account_sequence", lambda rows: [row.account_sequence for row in rows]),
        document("payload", lambda rows: [row.payload for row in rows]),
        time("occurred_at", lambda rows: [row.occurred_ns for row in rows]),
    ),
)
"""The rows, numbered in their order."""
