"""The folders of LEAN: which file holds what of a symbol, and how its columns are to be read.

`<class>/<market>/tick/<symbol>/<day>_trade.zip` and so on; each zip holds one CSV without a header.
Prices of equities are ten-thousandths of a dollar and their times New York's; crypto has plain
decimals and UTC.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from marketdata.domain.file_tables import ColumnMapping, FileFormatError
from marketdata.domain.file_times import TimeFormat, TimeKind

NEW_YORK: Final = "America/New_York"
DATE_AND_MINUTE: Final = "%Y%m%d %H:%M"
EQUITY_SHIFT: Final = 4
TIMEFRAMES: Final = {"minute": "1Min", "hour": "1Hour", "daily": "1Day"}
_DAY_FILE: Final = re.compile(r"(\d{8})_(trade|quote)\.(?:zip|csv)", re.ASCII)


class SourceFile(NamedTuple):
    """A file to import: what it holds (`trade`, `quote` or `bar`), its local day where the times
    need one, and how to read it.
    """

    path: Path
    kind: str
    mapping: ColumnMapping
    day: date | None = None


MappingOf = Callable[[Path, str], ColumnMapping]
"""Takes the folder of the class and what the file holds, `trade` or `quote`."""


def lean_name(symbol: str) -> str:
    """A symbol as LEAN names its files: `BTC/USD` is `btcusd`."""
    return symbol.replace("/", "").lower()


def lean_ticks(root: Path, symbol: str) -> list[SourceFile]:
    """The days of trades and quotes that the folder `root` (such as `equity/usa`) has."""
    return [*_days(root, root / "tick" / lean_name(symbol), _tick_mapping)]


def lean_bars(root: Path, symbol: str, timeframe: str) -> list[SourceFile]:
    """The files of trade bars of a timeframe (1Min, 1Hour, 1Day) that the folder has."""
    resolution = {there: name for name, there in TIMEFRAMES.items()}[timeframe]
    name = lean_name(symbol)
    if resolution == "minute":
        found = _days(root, root / resolution / name, _bar_mapping)
        return [file._replace(kind="bar") for file in found if file.kind == "trade"]
    mapping = replace(_bar_mapping(root, "trade"), time=TimeFormat(DATE_AND_MINUTE, _zone(root)))
    paths = [root / resolution / f"{name}.zip", root / resolution / f"{name}_trade.zip"]
    return [SourceFile(path, "bar", mapping) for path in paths if path.exists()]


def lean_factors(root: Path, symbol: str) -> Path | None:
    """The folder's file of adjustment factors for the symbol; None when it has none."""
    path = root / "factor_files" / f"{lean_name(symbol)}.csv"
    return path if path.exists() else None


def _days(root: Path, folder: Path, mapping_of: MappingOf) -> Iterator[SourceFile]:
    for path in sorted(folder.glob("*")):
        match = _DAY_FILE.fullmatch(path.name)
        if match is not None:
            day = datetime.strptime(match.group(1), "%Y%m%d").date()  # noqa: DTZ007  # a date
            yield SourceFile(path, match.group(2), mapping_of(root, match.group(2)), day)


def _tick_mapping(root: Path, kind: str) -> ColumnMapping:
    if kind == "trade":
        trade = ("time", "price", "size", "exchange", "conditions", "suspicious")
        return _mapping(root, trade, {"price", "size"})
    names = ("time", "bid", "bid_size", "ask", "ask_size", "exchange", "condition", "suspicious")
    mapping = _mapping(root, names, {"bid", "bid_size", "ask", "ask_size"})
    used = {name: there for name, there in mapping.columns.items() if name != "exchange"}
    used.pop("condition")
    return replace(mapping, columns=used, is_carried=True)


def _bar_mapping(root: Path, kind: str) -> ColumnMapping:
    names = ("time", "open", "high", "low", "close", "volume")
    return _mapping(root, names, set(names[1:]))


def _mapping(root: Path, names: tuple[str, ...], numbers: set[str]) -> ColumnMapping:
    return ColumnMapping(
        columns={name: str(number) for number, name in enumerate(names)},
        time=TimeFormat(TimeKind.MS_OF_DAY, _zone(root)),
        has_header=False,
        price_shift=EQUITY_SHIFT if _is_equity(root) else 0,
        whole=frozenset(numbers | {"time"}) if _is_equity(root) else frozenset({"time"}),
        lean_conditions=_is_equity(root),
    )


def _zone(root: Path) -> str:
    return NEW_YORK if _is_equity(root) else "UTC"


def _is_equity(root: Path) -> bool:
    """By the folder of the class, which every path of LEAN has in it."""
    for part in reversed(root.resolve().parts):
        if part in {"equity", "crypto"}:
            return part == "equity"
    raise FileFormatError(
        f"{root} is neither below a folder named equity nor one named crypto; name such as"
        " .../equity/usa"
    )
