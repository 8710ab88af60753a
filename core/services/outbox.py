"""The event log as an outbox: append in the transaction that makes the fact true, read it exactly
once.

A reader follows the log in (transaction_id, id) order and never goes past the oldest transaction
that is still running. Ids alone would not do: a transaction that commits late has lower ids than
what was already read, and its events would be skipped for ever. The audit trail is read in the same
way (core/services/audit_sealing.py): what takes a `log` works on either table.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from core.events import CURRENT_VERSION, NewEvent, RecordedEvent
from core.models import ALL_READ, Event

EVENTS = "core_event"
AUDIT_TRAIL = "core_auditentry"
"""The tables that can be followed: rows with an `id` and the `transaction_id` that wrote them."""

WINDOW_EVENTS = 5_000
"""How much of the log one reading looks at: bounds the statement, whatever has piled up."""

_INIT = """
    INSERT INTO core_eventreader (name, transaction_id, event_id, updated_at)
    VALUES (%s, '0', 0, now()) ON CONFLICT (name) DO NOTHING
"""
_POSITION = """
    SELECT transaction_id, event_id, transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
    FROM core_eventreader WHERE name = %s
"""
_WINDOW_END = """
    SELECT transaction_id, id FROM (
        SELECT transaction_id, id FROM {log}
        WHERE (transaction_id, id) > (%s::text::xid8, %s)
          AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY transaction_id, id LIMIT %s
    ) AS settled ORDER BY transaction_id DESC, id DESC LIMIT 1
"""
_EVENTS = """
    SELECT transaction_id, id, kind, version, account_id, account_sequence, payload::text,
           occurred_at
    FROM core_event
    WHERE (transaction_id, id) > (%s::text::xid8, %s)
      AND (transaction_id, id) <= (%s::text::xid8, %s) AND kind = ANY(%s)
    ORDER BY transaction_id, id LIMIT %s
"""
_ADVANCE = """
    UPDATE core_eventreader SET transaction_id = %s::text::xid8, event_id = %s, updated_at = now()
    WHERE name = %s AND transaction_id = %s::text::xid8 AND event_id = %s
"""
_SINK = """
    UPDATE {log} SET transaction_id = '0' WHERE (transaction_id, id) <= (%s::text::xid8, %s)
"""
_RENUMBER = """
    UPDATE {log} SET transaction_id = pg_current_xact_id() WHERE transaction_id <> '0'
"""
_CONSUME = """
    INSERT INTO core_consumedevent (event_id, handler)
    SELECT event_id, %s FROM unnest(%s::bigint[]) AS event_id
    ON CONFLICT (handler, event_id) DO NOTHING RETURNING event_id
"""


class OutboxError(Exception):
    """The log cannot be read safely; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the log's reading order."""

    transaction_id: int
    event_id: int


@dataclass(frozen=True, slots=True)
class Window:
    """What stands after `start`, up to `end`; every transaction in it and before it has settled."""

    start: Position
    end: Position

    @property
    def is_empty(self) -> bool:
        return self.end == self.start


@dataclass(frozen=True, slots=True)
class Reading(Window):
    """The wanted events of a window. Those of other kinds are passed over by going to `end`."""

    events: list[RecordedEvent]


def append(events: Sequence[NewEvent]) -> list[int]:
    """Append facts in the caller's transaction and give their ids; OutboxError outside of one."""
    if not connection.in_atomic_block:
        raise OutboxError("events are appended inside the transaction that makes them true")
    rows = Event.objects.bulk_create(
        Event(
            kind=event.kind,
            version=CURRENT_VERSION[event.kind],
            payload=dict(event.payload),
            occurred_at=event.occurred_at,
        )
        for event in events
    )
    return [row.pk for row in rows]


def try_lead(reader: str) -> bool:
    """Take the reader's advisory lock until the end of this transaction; False: someone else reads
    now.

    The lock belongs to the transaction, so a dead or cut-off reader can never keep it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [reader])
        return bool(cursor.fetchone()[0])


def window_after(reader: str, log: str, limit: int = WINDOW_EVENTS) -> Window:
    """The next `limit` rows of the log for this reader. What is read in it and `advance` belong in
    one transaction, with the effects between them.

    Raises OutboxError when the position lies in this cluster's future: the log was restored from
    another cluster.
    """
    with connection.cursor() as cursor:
        start = _position(cursor, reader)
        place = [start.transaction_id, start.event_id]
        cursor.execute(_WINDOW_END.format(log=log), [*place, limit])
        row = cursor.fetchone()
    return Window(start, Position(int(row[0]), row[1]) if row else start)


def read_after(reader: str, *, kinds: Collection[str], limit: int) -> Reading:
    """The next events of `kinds` for this reader, at most `limit`: see `window_after`."""
    window = window_after(reader, EVENTS)
    start, end = window.start, window.end
    if window.is_empty:
        return Reading(start, end, [])
    with connection.cursor() as cursor:
        cursor.execute(
            _EVENTS,
            [
                start.transaction_id,
                start.event_id,
                end.transaction_id,
                end.event_id,
                list(kinds),
                limit,
            ],
        )
        rows = cursor.fetchall()
    if len(rows) == limit:
        end = Position(int(rows[-1][0]), rows[-1][1])
    return Reading(start, end, [_event(row[1:]) for row in rows])


def advance(reader: str, window: Window) -> None:
    """Move the reader from the window's start to its end; OutboxError when it no longer stands
    there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _ADVANCE,
            [
                window.end.transaction_id,
                window.end.event_id,
                reader,
                window.start.transaction_id,
                window.start.event_id,
            ],
        )
        if cursor.rowcount != 1:
            raise OutboxError(f"the reader {reader} was moved by someone else")


def consume(handler: str, events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Note that `handler` takes `events`, and give those that it had not taken before, in their
    order.
    """
    if not events:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_CONSUME, [handler, [event.id for event in events]])
        fresh = {row[0] for row in cursor.fetchall()}
    return [event for event in events if event.id in fresh]


def recorded(event_id: int) -> RecordedEvent:
    """One event of the log by its id; Event.DoesNotExist otherwise."""
    row = Event.objects.get(pk=event_id)
    return RecordedEvent(
        id=row.pk,
        kind=row.kind,
        version=row.version,
        account_id=row.account_id,
        account_sequence=row.account_sequence,
        payload=msgspec.json.encode(row.payload).decode(),
        occurred_at=row.occurred_at,
    )


def adopt_restored_log(reader: str, log: str = EVENTS) -> int:
    """Renumber a log restored from another cluster, whose transaction ids mean nothing here.

    What was read sinks to transaction 0; what was not is renumbered to this transaction, in id
    order. Gives how many rows wait. Run with every other process stopped.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_POSITION, [reader])
        row = cursor.fetchone()
        read_up_to = Position(int(row[0]), row[1]) if row else Position(0, 0)
        place = [read_up_to.transaction_id, read_up_to.event_id]
        cursor.execute(_SINK.format(log=log), place)
        cursor.execute(_RENUMBER.format(log=log))
        waiting = cursor.rowcount
        cursor.execute(
            "UPDATE core_eventreader SET transaction_id = '0', event_id = %s, updated_at = now()"
            " WHERE name = %s",
            [ALL_READ, reader],
        )
    return int(waiting)


def _position(cursor: CursorWrapper, reader: str) -> Position:
    cursor.execute(_POSITION, [reader])
    row = cursor.fetchone()
    if row is None:
        cursor.execute(_INIT, [reader])
        return Position(0, 0)
    if row[2]:
        raise OutboxError(
            "the log was restored from another database cluster;"
            " run manage.py adopt_restored_log once, with the portal stopped"
        )
    return Position(int(row[0]), row[1])


def _event(row: Sequence[Any]) -> RecordedEvent:
    # Any: one database row, in the order of _EVENTS
    identity, kind, version, account_id, account_sequence, payload, occurred_at = row
    return RecordedEvent(
        id=identity,
        kind=kind,
        version=version,
        account_id=account_id,
        account_sequence=account_sequence,
        payload=payload,
        occurred_at=occurred_at,
    )
