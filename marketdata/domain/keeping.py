"""The bars of a running feed: the open minute and the current day of every instrument."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from marketdata.domain.bars import DAY_NS, Bar, MinuteBars, floor_ns
from marketdata.domain.values import Trade


class DatedBar(NamedTuple):
    """A bar to store; `timeframe` is `1Min` or `1Day`."""

    timeframe: str
    bar: Bar


@dataclass(slots=True)
class ResumedBars:
    """What an earlier run has left: today's bar so far, without the open minute, and that
    minute.
    """

    day: Bar | None = None
    minute: Bar | None = None


class BarKeeper:
    """Turns trades into minute bars and days. A day is made of its closed minutes and the open
    one.
    """

    def __init__(self, resumed: Mapping[str, ResumedBars]) -> None:
        """`resumed` names every instrument of the feed."""
        self._minutes = {
            symbol: MinuteBars(symbol, left.minute) for symbol, left in resumed.items()
        }
        self._days: dict[str, Bar] = {
            symbol: left.day for symbol, left in resumed.items() if left.day is not None
        }

    def take(self, trade: Trade) -> tuple[Bar | None, Bar | None]:
        """Take a trade in: the minute that it closed and the minute that is open now."""
        minutes = self._minutes[trade.symbol]
        closed = minutes.add(trade)
        if closed:
            self._close(closed)
        return closed, minutes.open_bar

    def late_trades(self, symbol: str) -> int:
        return self._minutes[symbol].late_trades

    def close_minutes(self, now_ns: int) -> list[Bar]:
        """The minutes that are over at `now_ns` although no later trade has said so."""
        closed = [bar for minutes in self._minutes.values() if (bar := minutes.close(now_ns))]
        for bar in closed:
            self._close(bar)
        return closed

    def open_minutes(self) -> list[Bar]:
        """The minutes that trades are still coming into; stored when the feed stops."""
        return [bar for minutes in self._minutes.values() if (bar := minutes.open_bar)]

    def day(self, symbol: str) -> Bar | None:
        """The current day so far, without the open minute."""
        return self._days.get(symbol)

    def to_store(self, minutes: Iterable[Bar]) -> list[DatedBar]:
        """`minutes` and the days they belong to, as rows."""
        rows: list[DatedBar] = []
        for minute in minutes:
            rows.append(DatedBar("1Min", minute))
            day = self._days.get(minute.symbol)
            if not minute.is_closed:
                day = _with(day, minute)
            if day is not None:
                rows.append(DatedBar("1Day", day))
        return rows

    def _close(self, minute: Bar) -> None:
        self._days[minute.symbol] = _with(self._days.get(minute.symbol), minute)


def _with(day: Bar | None, minute: Bar) -> Bar:
    """`day` with one minute more; a minute of the next day starts that day."""
    start_ns = floor_ns(minute.start_ns, DAY_NS)
    if day is None or day.start_ns != start_ns:
        return replace(minute, start_ns=start_ns, is_closed=False)
    return day.then(minute)
