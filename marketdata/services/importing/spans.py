"""What a file of ticks would fill, found before anything is stored: its days, so that partitions
are made outside of its transaction, and whether others have stored something there.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
from django.db import connection

from marketdata.domain.file_tables import FileFormatError
from marketdata.domain.file_times import EPOCH, moments_of
from marketdata.domain.lean import SourceFile
from marketdata.models import Feed, TickDay
from marketdata.services.importing.contents import blocks_of, readable
from marketdata.services.importing.targets import IMPORT_ADAPTER

DAY_US: Final = 86_400_000_000
MAX_DAYS: Final = 4_000
"""Of one file: ten years. Times that are read in a wrong unit spread over thousands of days, each
of which would get a partition.
"""

_OTHERS: Final = (
    "FROM {table} WHERE instrument_id = %s AND feed_id IS DISTINCT FROM %s"
    " AND at BETWEEN timestamptz 'epoch' + %s * interval '1 microsecond'"
    " AND timestamptz 'epoch' + %s * interval '1 microsecond'"
)


class DayTakenError(FileFormatError):
    """Another feed has stored the same kind of ticks within the file's time."""


class Span(NamedTuple):
    """The first and the last moment of a file's rows, and the UTC days that they lie in."""

    first_us: int
    last_us: int
    days: frozenset[date]


def table_of(kind: str) -> TickDay.Table:
    return TickDay.Table.TRADE if kind == "trade" else TickDay.Table.QUOTE


def span_of(file: SourceFile) -> Span | None:
    """The time that the file fills, by its column of times alone; None of a file without rows."""
    timed = file._replace(mapping=replace(file.mapping, read=frozenset({"time"})))
    how = file.mapping.time
    moments = (moments_of(one.columns["time"], how, file.day) for one in blocks_of(timed))
    numbers: set[int] = set()
    first_us, last_us = 2**63, -(2**63)
    for us, unreadable in readable(file, moments):
        read = us[~unreadable]
        if len(read):
            numbers.update(np.unique(read // DAY_US).tolist())
            first_us, last_us = min(first_us, int(read.min())), max(last_us, int(read.max()))
        if len(numbers) > MAX_DAYS:
            raise FileFormatError(
                f"{file.path.name} has rows of more than {MAX_DAYS:,} days; state the format of its"
                " times, or split it"
            )
    if not numbers:
        return None
    return Span(first_us, last_us, frozenset(EPOCH.date() + timedelta(days=one) for one in numbers))


def clear_span(kind: str, instrument_id: int, feed: Feed, span: Span, *, replaces: bool) -> None:
    """Remove what other feeds have stored of the instrument within the span when the import
    `replaces` it; DayTakenError when it does not and there is something.

    A feed that runs numbers its rows otherwise than files do, so what it stored itself counts too.
    """
    own = feed.pk if feed.adapter == IMPORT_ADAPTER else None
    others = _OTHERS.format(table=table_of(kind).value)
    values = [instrument_id, own, span.first_us, span.last_us]
    with connection.cursor() as cursor:
        if replaces:
            cursor.execute(f"DELETE {others}", values)
            return
        cursor.execute(f"SELECT feed_id, at {others} LIMIT 1", values)
        found = cursor.fetchone()
    if found is not None:
        teller = Feed.objects.filter(pk=found[0]).first() or "another feed"
        raise DayTakenError(
            f"{teller} has stored a {kind} of this instrument at {found[1].isoformat()}, within"
            " the file's time: what both told would count twice; --replace removes what is there"
        )
