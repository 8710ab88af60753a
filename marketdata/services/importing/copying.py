"""Stores columns of ticks by binary COPY: straight into a day's partition, or beside what is there.

Straight is the usual way and the fast one. Where rows of the same numbers are stored already, the
columns go to a temporary table first and only what is new from there.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from django.db import IntegrityError, connection, transaction

from marketdata.domain.copy_format import (
    HEADER,
    QUOTE_NAMES,
    TRADE_NAMES,
    TRAILER,
    quote_rows,
    trade_rows,
)
from marketdata.domain.file_times import EPOCH
from marketdata.domain.tick_columns import QuoteColumns, TradeColumns
from marketdata.models import TickDay
from marketdata.services.importing.spans import DAY_US
from marketdata.services.partitions import partition_name

STAGING: Final = "import_staging"

Columns = TradeColumns | QuoteColumns


def store_columns(instrument_id: int, feed_id: int, columns: Columns) -> int:
    """Store the rows that are not there yet and return how many those were. Belongs into the
    transaction that also says how far the import is; the days' partitions are made before it.
    """
    is_trade = isinstance(columns, TradeColumns)
    table = TickDay.Table.TRADE if is_trade else TickDay.Table.QUOTE
    stored = 0
    for day, rows in _by_day(columns):
        if not _is_there(table, instrument_id, rows):
            try:
                with transaction.atomic():
                    stored += _copy(partition_name(table, day), instrument_id, feed_id, rows)
                continue
            except IntegrityError:  # the running feed has stored one of them meanwhile
                pass
        stored += _merge(table, day, instrument_id, feed_id, rows)
    return stored


def _by_day(columns: Columns) -> Iterator[tuple[date, Any]]:  # Any: Columns again
    """The rows of each UTC day, in time order as the file has them."""
    days = columns.at_us // DAY_US
    for number in np.unique(days).tolist():
        day = EPOCH.date() + timedelta(days=number)
        if (days == number).all():
            yield day, columns
        else:
            yield day, type(columns)(*(column[days == number] for column in columns))


def _is_there(table: TickDay.Table, instrument_id: int, rows: Columns) -> bool:
    """Whether rows are stored that may have the same keys: of these moments and these numbers."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {table.value} WHERE instrument_id = %s"  # noqa: S608
            " AND at BETWEEN timestamptz 'epoch' + %s * interval '1 microsecond'"
            " AND timestamptz 'epoch' + %s * interval '1 microsecond'"
            " AND number BETWEEN %s AND %s)",
            [
                instrument_id,
                *(int(rows.at_us.min()), int(rows.at_us.max())),
                *(int(rows.number.min()), int(rows.number.max())),
            ],
        )
        return bool(cursor.fetchone()[0])


def _copy(target: str, instrument_id: int, feed_id: int, rows: Columns) -> int:
    names = TRADE_NAMES if isinstance(rows, TradeColumns) else QUOTE_NAMES
    blocks = (
        trade_rows(instrument_id, feed_id, rows)
        if isinstance(rows, TradeColumns)
        else quote_rows(instrument_id, feed_id, rows)
    )
    statement = f"COPY {target} ({', '.join(names)}) FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(HEADER)
            for block in blocks:
                copy.write(block)
            copy.write(TRAILER)
        return int(cursor.rowcount)


def _merge(table: TickDay.Table, day: date, instrument_id: int, feed_id: int, rows: Columns) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {STAGING} (LIKE {table.value}) ON COMMIT DROP")
        _copy(STAGING, instrument_id, feed_id, rows)
        cursor.execute(
            f"INSERT INTO {partition_name(table, day)}"  # noqa: S608  # names of ours
            f" SELECT * FROM {STAGING} ON CONFLICT DO NOTHING"
        )
        stored = int(cursor.rowcount)
        cursor.execute(f"DROP TABLE {STAGING}")
        return stored
