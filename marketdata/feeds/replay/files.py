"""Which files of a replay's folder hold an instrument's days, opened as one stream of events.

LEAN: `<market>/tick/<symbol>/<day>_trade.zip` and `_quote.zip`; where a day has no ticks,
`<market>/minute/...`. CSV: `<symbol>_trade.csv`, `_quote.csv` and `_bar.csv` in the folder itself.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from heapq import merge
from operator import itemgetter
from pathlib import Path

from core.domain.clock import to_ns
from marketdata.domain.bars import DAY_NS
from marketdata.domain.plan import FeedInstrument, FeedOptionError
from marketdata.feeds.replay.options import ReplayOptions
from marketdata.feeds.replay.parse import (
    BadLineError,
    Event,
    Stream,
    csv_rows,
    quote_minutes,
    quote_ticks,
    seconds_to_ns,
    trade_minutes,
    trade_ticks,
)

TEN_THOUSANDTH = Decimal("0.0001")
NUMBERS_A_DAY = 10_000_000
"""A trade's number is its day (20131007) times this, plus its line: the same at every telling."""
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
Parse = Callable[[Iterable[str], Stream], Iterator[Event]]
KINDS: Sequence[tuple[str, str, Parse]] = (
    ("tick", "quote", quote_ticks),
    ("tick", "trade", trade_ticks),
    ("minute", "quote", quote_minutes),
    ("minute", "trade", trade_minutes),
)


class Recording:
    """The recorded days of some instruments."""

    def __init__(self, options: ReplayOptions, instruments: Sequence[FeedInstrument]) -> None:
        """FeedOptionError when the folder holds nothing of any of them."""
        self._options = options
        self._instruments = instruments
        self.days = self._find_days()
        if not self.days:
            raise FeedOptionError(
                f"The folder {options.folder} holds nothing of"
                f" {', '.join(item.name_there for item in instruments)} between 'start' and 'end'."
            )

    @property
    def has_minutes(self) -> bool:
        """Whether some day is told by closed minutes."""
        options = self._options
        if options.format == "csv":
            return "bar" in options.columns
        return any(kind == "minute" for day in self.days for _, kind, *_ in self._files_of(day))

    def events(self, day: str) -> Iterator[Event]:
        """All events of `day` within `start` and `end`, in time order."""
        streams = self._csv_streams() if self._options.format == "csv" else self._streams(day)
        start_ns, end_ns = self._options.start_ns, self._options.end_ns
        for event in merge(*streams, key=itemgetter(0, 1)):
            if event[0] < start_ns:
                continue
            if event[0] >= end_ns:
                return
            yield event

    def _find_days(self) -> list[str]:
        options = self._options
        if options.format == "csv":
            return [""] if any(True for _ in self._csv_files()) else []
        found: set[str] = set()
        for instrument in self._instruments:
            for kind in self._resolutions:
                for path in self._folder(kind, instrument).glob("*_*.zip"):
                    found.add(path.name.partition("_")[0])
        return sorted(day for day in found if self._is_wanted(day))

    @property
    def _resolutions(self) -> tuple[str, ...]:
        wanted = self._options.resolution
        return ("tick", "minute") if wanted == "any" else (wanted,)

    def _is_wanted(self, day: str) -> bool:
        try:
            midnight_ns = self._midnight_ns(day)
        except ValueError:
            return False
        return midnight_ns < self._options.end_ns and midnight_ns + DAY_NS > self._options.start_ns

    def _midnight_ns(self, day: str) -> int:
        return to_ns(datetime.strptime(day, "%Y%m%d").replace(tzinfo=self._options.zone))

    def _folder(self, kind: str, instrument: FeedInstrument) -> Path:
        name = instrument.name_there.replace("/", "").lower()
        return self._options.folder / self._options.market / kind / name

    def _files_of(self, day: str) -> Iterator[tuple[Path, str, Parse, FeedInstrument]]:
        """Of each instrument the ticks of `day`, or else its minutes."""
        for instrument in self._instruments:
            for resolution in self._resolutions:
                files = [
                    (path, kind, parse, instrument)
                    for kind, what, parse in KINDS
                    if kind == resolution
                    and (path := self._folder(kind, instrument) / f"{day}_{what}.zip").exists()
                ]
                yield from files
                if any("_trade" in path.name for path, *_ in files):
                    break

    def _streams(self, day: str) -> list[Iterator[Event]]:
        unit = TEN_THOUSANDTH if self._options.market.startswith("equity") else Decimal(1)
        midnight_ns = self._midnight_ns(day)
        first = int(day) * NUMBERS_A_DAY
        return [
            parse(
                _lines_in(path),
                Stream(instrument.grid.symbol, midnight_ns, unit, order, first),
            )
            for order, (path, _, parse, instrument) in enumerate(self._files_of(day))
        ]

    def _csv_files(self) -> Iterator[tuple[Path, str, FeedInstrument]]:
        for instrument in self._instruments:
            for name in self._options.columns:
                stem = instrument.name_there.replace("/", "").lower()
                path = self._options.folder / f"{stem}_{name}.csv"
                if path.exists():
                    yield path, name, instrument

    def _csv_streams(self) -> list[Iterator[Event]]:
        return [
            csv_rows(
                _rows_in(path),
                self._options.columns[name],
                Stream(instrument.grid.symbol, 0, order=order),
                self._time_of,
            )
            for order, (path, name, instrument) in enumerate(self._csv_files())
        ]

    def _time_of(self, text: str) -> int:
        if self._options.time == "iso":
            moment = datetime.fromisoformat(text)
            return to_ns(moment if moment.tzinfo else moment.replace(tzinfo=self._options.zone))
        return seconds_to_ns(text) // UNITS[self._options.time]


def _lines_in(path: Path) -> Iterator[str]:
    """The lines of the one file in a zip, without a copy of it in memory."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as packed:
            yield from io.TextIOWrapper(packed, "ascii", errors="replace")
    except (zipfile.BadZipFile, IndexError, EOFError, zlib.error) as error:
        raise BadLineError(f"{path.name} is no zip with a file in it") from error
    except (RuntimeError, NotImplementedError) as error:  # encrypted; packed in another way
        raise BadLineError(f"{path.name} cannot be unpacked: {error}") from error


def _rows_in(path: Path) -> Iterator[list[str]]:
    """The rows of a CSV; a first line without any digit is a header."""
    try:
        with closing(path.open(encoding="utf-8", newline="")) as file:
            for number, row in enumerate(csv.reader(file)):
                if row and (number or any(letter.isdigit() for cell in row for letter in cell)):
                    yield row
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadLineError(f"{path.name} is no CSV: {error}") from error
