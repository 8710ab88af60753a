"""The day partitions of the tick tables: made ahead and when a row needs one, dropped by retention.

A day has a partition exactly when it has its row of TickDay. Every other writer finds the days it
needs with `ensure_days`; nothing else makes or drops partitions.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from marketdata.models import TickDay

logger = structlog.get_logger(__name__)

DAYS_AHEAD: Final = 7
"""A week: the job may fail for days before a feed has to make a partition itself."""

PARTITIONS_LOCK: Final = 0x7469636B
"""The advisory lock under which partitions are made and dropped, one process at a time."""

DROP_PATIENCE: Final = "2s"
"""How long a drop waits for readers of the table; whoever comes after it waits behind it. A day
that could not be dropped is dropped by the next run.
"""


def partition_name(table: TickDay.Table, day: date) -> str:
    """The partition of `table` for the UTC day: `marketdata_quote_p20131007`."""
    return f"{table.value}_p{day:%Y%m%d}"


def ensure_days(table: TickDay.Table, days: Iterable[date], *, is_kept: bool = False) -> None:
    """Make the partitions of `days` that are not there yet; safe in many processes at once.

    With `is_kept` they are kept from retention from now on. Call it before the transaction that
    writes the rows: another process that needs a day waits for the caller's commit.
    """
    wanted = set(days)
    missing = wanted - _days_there(table, wanted)
    if missing:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITIONS_LOCK])
            for day in sorted(missing):
                _make(cursor, table, day)
    if is_kept:
        TickDay.objects.filter(table=table, day__in=wanted, is_kept=False).update(is_kept=True)


def make_days_ahead(now: datetime) -> None:
    """The partitions of today and the coming week, for every tick table."""
    days = [now.date() + timedelta(days=number) for number in range(DAYS_AHEAD + 1)]
    for table in TickDay.Table:
        ensure_days(table, days)


def days_kept() -> dict[TickDay.Table, int]:
    """How many days each table's rows stay, by the portal's configuration."""
    return {
        TickDay.Table.TRADE: settings.TRADES_KEPT_DAYS,
        TickDay.Table.QUOTE: settings.QUOTES_KEPT_DAYS,
        TickDay.Table.SECOND_BAR: settings.SECONDS_KEPT_DAYS,
    }


def drop_old_days(now: datetime, kept: Mapping[TickDay.Table, int]) -> list[str]:
    """Drop the partitions whose last moment is older than `kept` days, unless they are kept;
    returns their names. What a reader holds on to stays until the next run.
    """
    dropped: list[str] = []
    for table, days in kept.items():
        first = now.date() - timedelta(days=days)
        old = TickDay.objects.filter(table=table, day__lt=first, is_kept=False).order_by("day")
        for day in old.values_list("day", flat=True):
            try:
                _drop(table, day)
            except OperationalError as error:  # lock_timeout
                logger.warning("tick_day_busy", table=str(table), day=str(day), error=str(error))
            else:
                dropped.append(partition_name(table, day))
    return dropped


def _days_there(table: TickDay.Table, days: Iterable[date]) -> set[date]:
    there = TickDay.objects.filter(table=table, day__in=days).order_by("day")
    return set(there.values_list("day", flat=True))


def _make(cursor: CursorWrapper, table: TickDay.Table, day: date) -> None:
    """Attached, not created as a partition: that would wait for every writer of the table."""
    name = partition_name(table, day)
    first, last = day.isoformat(), (day + timedelta(days=1)).isoformat()
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
    if not cursor.fetchone()[0]:
        cursor.execute(f"CREATE TABLE {name} (LIKE {table.value} INCLUDING ALL)")
        cursor.execute(
            f"ALTER TABLE {table.value} ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{first} 00:00+00') TO ('{last} 00:00+00')"
        )
    TickDay.objects.get_or_create(table=table, day=day)


def _drop(table: TickDay.Table, day: date) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITIONS_LOCK])
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [DROP_PATIENCE])
        gone, _ = TickDay.objects.filter(table=table, day=day, is_kept=False).delete()
        if gone:  # else an import has kept it meanwhile
            cursor.execute(f"DROP TABLE IF EXISTS {partition_name(table, day)}")
