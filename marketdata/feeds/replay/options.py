"""The options of a replay: which folder, which days, how fast, in which time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.domain.clock import to_ns
from marketdata.domain.plan import FeedOptionError
from marketdata.feeds.replay.parse import CsvColumns, Kind

FULL_SPEED: Final = 0
FASTEST: Final = 10_000
FORMATS: Final = ("lean", "csv")
RESOLUTIONS: Final = ("any", "tick", "minute")
KNOWN: Final = frozenset(
    {"folder", "format", "market", "time_zone", "speed", "shift", "loop", "start", "end",
     "resolution", "columns", "time"}
)  # fmt: skip
FIELDS: Final = {
    "quote": (Kind.QUOTE, ("bid", "bid_size", "ask", "ask_size")),
    "trade": (Kind.TRADE, ("price", "size")),
    "bar": (Kind.BAR, ("open", "high", "low", "close", "volume")),
}
TIMES: Final = ("iso", "s", "ms", "us", "ns")


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """`resolution` `any`: ticks, and minutes for days without. `speed` 0: as fast as possible.
    `start_ns` to `end_ns` (exclusive) of the data's time is told. With `shift` everything is
    stamped as if it happened now.
    """

    folder: Path
    format: str
    resolution: str
    market: str
    zone: ZoneInfo
    speed: int
    shift: bool
    loop: bool
    start_ns: int
    end_ns: int
    columns: Mapping[str, CsvColumns]
    time: str


def read_options(options: Mapping[str, Any]) -> ReplayOptions:  # Any: JSON of an operator
    """The checked options; FeedOptionError names the one at fault."""
    for name in options:
        if name not in KNOWN:
            raise FeedOptionError(
                f"There is no option {name!r}; a replay takes {', '.join(sorted(KNOWN))}."
            )
    folder = Path(_text(options, "folder", ""))
    if not folder.is_absolute() or not folder.is_dir():
        raise FeedOptionError("The option 'folder' must be the full path of a folder that exists.")
    kind = _choice(options, "format", FORMATS, "lean")
    market = _text(options, "market", "equity/usa")
    usual = "America/New_York" if market.startswith("equity/usa") else "UTC"
    zone = _zone(_text(options, "time_zone", usual))
    speed = options.get("speed", 1)
    return ReplayOptions(
        folder=folder,
        format=kind,
        resolution=_choice(options, "resolution", RESOLUTIONS, "any"),
        market=market,
        zone=zone,
        speed=check_speed(speed),
        shift=_yes(options, "shift", default=True),
        loop=_yes(options, "loop", default=False),
        start_ns=_moment(options, "start", zone, 0),
        end_ns=_moment(options, "end", zone, 2**63),
        columns=_columns(options) if kind == "csv" else {},
        time=_choice(options, "time", TIMES, "iso"),
    )


def check_speed(value: object) -> int:
    """How many times as fast; FeedOptionError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= FASTEST:
        raise FeedOptionError(
            f"The speed must be a whole number from 1 to {FASTEST}, or 0: as fast as possible."
        )
    return value


def _text(options: Mapping[str, Any], name: str, default: str) -> str:  # Any: JSON
    value = options.get(name, default)
    if not isinstance(value, str):
        raise FeedOptionError(f"The option {name!r} must be a text.")
    return value


def _choice(
    options: Mapping[str, Any],  # Any: JSON
    name: str,
    choices: tuple[str, ...],
    default: str,
) -> str:
    value = _text(options, name, default)
    if value not in choices:
        raise FeedOptionError(f"The option {name!r} must be one of {', '.join(choices)}.")
    return value


def _yes(options: Mapping[str, Any], name: str, *, default: bool) -> bool:  # Any: JSON
    value = options.get(name, default)
    if not isinstance(value, bool):
        raise FeedOptionError(f"The option {name!r} must be true or false.")
    return value


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise FeedOptionError(f"There is no time zone {name!r}.") from error


def _moment(options: Mapping[str, Any], name: str, zone: ZoneInfo, default: int) -> int:
    if name not in options:
        return default
    try:
        moment = datetime.fromisoformat(_text(options, name, ""))
    except ValueError as error:
        raise FeedOptionError(
            f"The option {name!r} must be a day or a moment, such as 2013-10-07T09:30."
        ) from error
    return to_ns(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _columns(options: Mapping[str, Any]) -> dict[str, CsvColumns]:  # Any: JSON
    """`{"trade": {"time": 0, "price": 1, "size": 2}}`: by kind, column numbers from 0."""
    given = options.get("columns")
    if not isinstance(given, dict) or not given or not set(given) <= set(FIELDS):
        raise FeedOptionError(
            "The option 'columns' must say which column holds what, by kind"
            f' ({", ".join(FIELDS)}): {{"trade": {{"time": 0, "price": 1, "size": 2}}}}.'
        )
    return {name: _columns_of(name, places) for name, places in given.items()}


def _columns_of(name: str, places: object) -> CsvColumns:
    kind, fields = FIELDS[name]
    needed = ("time", *fields)
    if not isinstance(places, dict) or not all(
        isinstance(place, int) and 0 <= place < 1_000 for place in places.values()
    ):
        raise FeedOptionError(f"The columns of {name!r} must be numbers from 0.")
    if not set(needed) <= set(places) <= {*needed, "number"}:
        raise FeedOptionError(f"The columns of {name!r} must be {', '.join(needed)}.")
    return CsvColumns(
        kind, places["time"], tuple(places[field] for field in fields), places.get("number")
    )
