"""`python -m benchmarks.importing FOLDER ROUNDS`: imports the AIG day and copies it, in turn.

Runs in a portal's environment. Every measurement begins with an empty partition of its day.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import django
import msgspec

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeportal.settings.base")
django.setup()

from django.db import connection, transaction  # noqa: E402

from benchmarks.imports import ImportRounds  # noqa: E402
from core.domain.clock import SystemClock  # noqa: E402
from marketdata.domain.copy_format import (  # noqa: E402
    HEADER,
    QUOTE_NAMES,
    TRADE_NAMES,
    TRAILER,
    quote_rows,
    trade_rows,
)
from marketdata.domain.lean import SourceFile, lean_ticks  # noqa: E402
from marketdata.domain.row_checks import Tally  # noqa: E402
from marketdata.domain.tick_columns import quotes_of, trades_of  # noqa: E402
from marketdata.models import Feed, Instrument, TickDay  # noqa: E402
from marketdata.services.importing.contents import blocks_of  # noqa: E402
from marketdata.services.importing.targets import (  # noqa: E402
    NewInstrument,
    import_feed,
    target_instrument,
)
from marketdata.services.importing.ticks import TickImport, import_ticks  # noqa: E402
from marketdata.services.partitions import drop_old_days, ensure_days  # noqa: E402

DAYS = [date(2013, 10, 7), date(2013, 10, 8)]
"""The file's day ends, in New York, within the next UTC day."""
TABLES = {"trade": TickDay.Table.TRADE, "quote": TickDay.Table.QUOTE}


def measure(folder: Path, rounds: int) -> dict[str, ImportRounds]:
    new = NewInstrument("us_equity", "XNYS", "XNYS", "America/New_York")
    instrument, feed = target_instrument("AIG", new), import_feed("benchmark")
    found: dict[str, ImportRounds] = {}
    for file in sorted(lean_ticks(folder / "lean/equity/usa", "AIG")):
        result = found.setdefault(f"{file.kind}s", ImportRounds())
        ready = [*_ready(file, instrument, feed, result)]
        for number in range(rounds):
            steps = [_copy, _import]
            for step in steps if number % 2 else reversed(steps):
                _empty(TABLES[file.kind])
                step(file, instrument, feed, ready, result)
    return found


def _ready(
    file: SourceFile, instrument: Instrument, feed: Feed, result: ImportRounds
) -> Iterator[bytes]:
    """What COPY is given: the same rows, made before it is measured."""
    tally = Tally()
    if file.kind == "trade":
        for trades in trades_of(blocks_of(file), file.mapping, file.day, tally):
            yield from trade_rows(instrument.pk, feed.pk, trades)
    else:
        for quotes in quotes_of(blocks_of(file), file.mapping, file.day, tally):
            yield from quote_rows(instrument.pk, feed.pk, quotes)
    result.rows, result.crossed = tally.rows - tally.refused.total(), tally.crossed


def _copy(
    file: SourceFile,
    instrument: Instrument,
    feed: Feed,
    ready: Sequence[bytes],
    result: ImportRounds,
) -> None:
    names = TRADE_NAMES if file.kind == "trade" else QUOTE_NAMES
    statement = f"COPY {TABLES[file.kind].value} ({', '.join(names)}) FROM STDIN (FORMAT binary)"
    begin = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        for block in ready:
            copy.write(block)
        copy.write(TRAILER)
    result.copied.append(result.rows / (time.perf_counter() - begin))


def _import(
    file: SourceFile,
    instrument: Instrument,
    feed: Feed,
    ready: Sequence[bytes],
    result: ImportRounds,
) -> None:
    asked = TickImport(instrument, feed, [file], str(file.path))
    begin = time.perf_counter()
    done = import_ticks(asked, SystemClock(), lambda so_far, rows: None)
    result.imported.append(result.rows / (time.perf_counter() - begin))
    assert done.stored == result.rows, done


def _empty(table: TickDay.Table) -> None:
    TickDay.objects.filter(table=table, day__in=DAYS).update(is_kept=False)
    drop_old_days(datetime.now(UTC), {table: 0})
    ensure_days(table, DAYS)


if __name__ == "__main__":
    output = msgspec.json.encode(measure(Path(sys.argv[1]), int(sys.argv[2])))
    sys.stdout.buffer.write(output + b"\n")
