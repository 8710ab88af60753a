"""The street's commands that are not in the journal yet: most of them never need to be.

A quote that another one replaced before anything read it, and that changed nothing else, may as
well not have been. What may be dropped, and why that is safe: docs/journal.md J3 to J6.
"""

from itertools import pairwise
from typing import Final, NamedTuple

MAX_PENDING_STREET: Final = 8
"""Entries that one instrument may have pending: three are the rule, more only while each of them
moves what stands ahead of resting orders.
"""


class StreetEntry(NamedTuple):
    """A street command, as it was received, and what it did besides replacing the street."""

    number: int
    now_ns: int
    frame: bytes
    is_quote: bool
    has_moved_ahead: bool


class StreetLog:
    """Pending entries by instrument."""

    def __init__(self) -> None:
        self._pending: dict[int, list[StreetEntry]] = {}
        self.is_full = False
        """Whether an instrument has as many entries as it may have: time to take them."""

    def add_quote(self, instrument_id: int, entry: StreetEntry) -> None:
        """A quote that replaced the street (J3)."""
        entries = self._pending.setdefault(instrument_id, [])
        if entries and _is_mere_quote(entries[-1]):
            entries.pop()
        self._append(entries, entry)

    def add_print(self, instrument_id: int, entry: StreetEntry, *, is_last_trade: bool) -> None:
        """A print that became the last trade or moved what stands ahead (J4)."""
        entries = self._pending.setdefault(instrument_id, [])
        if is_last_trade:
            entries[:] = _without_replaced(
                [item for item in entries if item.is_quote or item.has_moved_ahead]
            )
        self._append(entries, entry)

    def take(self) -> list[StreetEntry]:
        """All entries in the order in which they came; none is pending any more."""
        taken = sorted(entry for entries in self._pending.values() for entry in entries)
        self._pending.clear()
        self.is_full = False
        return taken

    def __bool__(self) -> bool:
        return bool(self._pending)

    def _append(self, entries: list[StreetEntry], entry: StreetEntry) -> None:
        entries.append(entry)
        self.is_full = self.is_full or len(entries) >= MAX_PENDING_STREET


def _is_mere_quote(entry: StreetEntry) -> bool:
    return entry.is_quote and not entry.has_moved_ahead


def _without_replaced(entries: list[StreetEntry]) -> list[StreetEntry]:
    """Without the mere quotes that another quote directly follows."""
    kept = [
        entry
        for entry, following in pairwise(entries)
        if not (_is_mere_quote(entry) and following.is_quote)
    ]
    return kept + entries[-1:]
