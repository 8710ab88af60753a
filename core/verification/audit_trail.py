"""Walks the chain over the audit trail and names every entry that is not what was sealed.

Read in one moment of the database and in bounded memory; the portal may go on working meanwhile.
Nothing is collected: problems are given as they are found. Used by `manage.py verify_audit`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from core.database import one_moment
from core.domain.audit_chain import BEFORE_THE_FIRST, Head, digest_of
from core.models import ALL_READ

SEALER = "audit_sealer"
"""Whose position in the trail (EventReader) says how far it is sealed."""

LONGEST_WAIT = timedelta(minutes=5)
"""An entry is sealed within seconds of its commit; one that waits longer waits for somebody."""

# Everything that an entry says, as texts that depend on no setting of a session: jsonb has one
# spelling whatever the order of keys was, and the seconds since 1970 are exact. Not transaction_id,
# which a restore into another cluster changes.
ENTRY_TEXTS = (
    "entry.id::text, entry.actor_id::text, entry.action, entry.target, entry.reason,"
    " entry.facts::text, entry.address::text, entry.request_id,"
    " extract(epoch FROM entry.occurred_at)::text"
)
_LINKS = f"""
    SELECT link.position, link.entry_id, link.digest, {ENTRY_TEXTS}
    FROM core_auditlink AS link LEFT JOIN core_auditentry AS entry ON entry.id = link.entry_id
    ORDER BY link.position
"""  # noqa: S608  # columns of ours
_UNSEALED = """
    SELECT entry.id, entry.transaction_id >= pg_snapshot_xmax(pg_current_snapshot()),
           (entry.transaction_id, entry.id) <= (%(transaction_id)s::text::xid8, %(entry_id)s),
           entry.occurred_at < %(late)s
    FROM core_auditentry AS entry
    WHERE NOT EXISTS (SELECT FROM core_auditlink AS link WHERE link.entry_id = entry.id)
    ORDER BY entry.id
"""
_SEALER = """
    SELECT transaction_id::text, event_id, transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
    FROM core_eventreader WHERE name = %s
"""
_FETCH_SIZE = 2_000
_ADOPT = "run manage.py adopt_restored_log once, with the portal stopped"

Value = str | int | datetime
Row = tuple[Any, ...]  # Any: columns of one row


class AuditTrailWalk:
    """One walk over the whole trail. When `problems` has ended, the counts and the head are there.

    `keys`: that of today and those of before. `noted`: a head that was noted earlier.
    """

    def __init__(self, keys: Sequence[bytes], now: datetime, noted: Head | None = None) -> None:
        self.sealed = self.waiting = self.unsealed = 0
        self.head: Head | None = None
        self._keys = keys
        self._late = now - LONGEST_WAIT
        self._noted = noted
        self._is_noted_met = False
        self._last_entry_id = 0
        # Digests that may stand before the next link: what is stored and, if that is wrong, what
        # should be. None of them: nothing can be said of the next.
        self._before = [BEFORE_THE_FIRST]

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return self.sealed + self.unsealed

    def problems(self) -> Iterator[str]:
        """Everything that is not as it was sealed, in a sentence each."""
        with one_moment():
            for position, entry_id, digest, *entry in _rows(_LINKS):
                yield from self._missing_before(position)
                yield from self._wrong_at(Head(position, digest), entry_id, entry)
                self.head, self._last_entry_id = Head(position, digest), entry_id
            yield from self._wrong_with_noted_head()
            yield from self._wrong_with_sealer()

    def _missing_before(self, position: int) -> Iterator[str]:
        last = self.head.position if self.head else 0
        if position != last + 1:
            self._before = []
            yield f"the chain goes on with position {position} after {last}: links were removed"

    def _wrong_at(self, link: Head, entry_id: int, entry: Sequence[str | None]) -> Iterator[str]:
        where = f"entry {entry_id}, sealed at position {link.position},"
        if self._noted and link.position == self._noted.position:
            self._is_noted_met = link == self._noted
        if entry[0] is None:
            self._before = [link.digest]
            yield f"{where} was removed"
            return
        self.sealed += 1
        due = [
            digest_of(key, before, link.position, entry)
            for before in self._before
            for key in self._keys
        ]
        if link.digest in due:
            self._before = [link.digest]
            return
        is_provable = bool(self._before)
        self._before = [link.digest, *due[-len(self._keys) :]]
        if is_provable:
            yield f"{where} is not what was sealed: it or its link was changed"
        else:
            yield f"{where} cannot be proved: the link before it was removed"

    def _wrong_with_noted_head(self) -> Iterator[str]:
        last = self.head.position if self.head else 0
        if self._noted is None or self._is_noted_met:
            return
        if last < self._noted.position:
            yield (
                f"the chain ends at position {last}, and position {self._noted.position} was"
                " noted: its end was cut off"
            )
        else:
            yield f"position {self._noted.position} is not there with the digest that was noted"

    def _wrong_with_sealer(self) -> Iterator[str]:
        transaction_id, entry_id, is_in_future = _sealer()
        if is_in_future:
            yield f"the trail was restored from another database cluster: {_ADOPT}"
            transaction_id, entry_id = "0", 0
        elif entry_id not in (self._last_entry_id, ALL_READ):
            yield (
                f"the sealer has come to entry {entry_id}, and the chain ends with entry"
                f" {self._last_entry_id}: its end was cut off, or the sealer was moved"
            )
        yield from self._wrong_unsealed(transaction_id, entry_id)

    def _wrong_unsealed(self, transaction_id: str, entry_id: int) -> Iterator[str]:
        late, first_late = 0, 0
        values: Mapping[str, Value] = {
            "transaction_id": transaction_id,
            "entry_id": entry_id,
            "late": self._late,
        }
        for number, is_in_future, is_passed, is_late in _rows(_UNSEALED, values):
            self.unsealed += 1
            if is_passed:
                yield f"entry {number} was put in afterwards, or its link was removed"
                continue
            self.waiting += 1
            if is_in_future:
                yield f"entry {number} names a transaction to come: if it was restored, {_ADOPT}"
            elif is_late:
                late, first_late = late + 1, first_late or number
        if late:
            yield (
                f"{late} entries wait to be sealed for more than {LONGEST_WAIT.seconds // 60}"
                f" minutes, the first is entry {first_late}: does the worker run?"
            )


def _rows(statement: str, values: Mapping[str, Value] | None = None) -> Iterator[Row]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_FETCH_SIZE):
            yield from rows


def _sealer() -> tuple[str, int, bool]:
    """Where the sealer stands, and whether that lies in this cluster's future."""
    with connection.cursor() as cursor:
        cursor.execute(_SEALER, [SEALER])
        return cursor.fetchone() or ("0", 0, False)
