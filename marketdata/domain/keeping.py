"""The bars of a running feed: seconds, minutes and the day of every instrument, from one stream of
trades.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from marketdata.domain.bars import (
    LATE_NS,
    MINUTE_NS,
    SECOND_NS,
    Bar,
    BarBuilder,
    every,
    floor_ns,
)
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.trading_days import CLOSING_PATIENCE_NS, TradingDays, UtcDays
from marketdata.domain.values import Trade

SECOND: Final = "1Sec"
MINUTE: Final = "1Min"
DAY: Final = "1Day"
CLOSING: Final = int(TradeFlag.CLOSING)


class DatedBar(NamedTuple):
    """A bar and the length it has: `1Sec`, `1Min` or `1Day`; where it is stored also the feed that
    its newest trade came from.
    """

    timeframe: str
    bar: Bar
    feed: str = ""


@dataclass(slots=True)
class ResumedBars:
    """What an earlier run has left: today's bar so far, without the open minute, and that minute,
    which has all trades in it of before `drawn_until_ns` (0 when nobody knows).
    """

    day: Bar | None = None
    ended_day: Bar | None = None
    """That of a session that has ended, while its closing print may still come; `start_ns` lies
    in the session.
    """
    minute: Bar | None = None
    drawn_until_ns: int = 0
    days: TradingDays = field(default_factory=UtcDays)


class Taken(NamedTuple):
    """What a trade did: the bars that it ended or amended, and whether it came too late for any."""

    finished: list[DatedBar]
    is_late: bool


class _Bars:
    """The three bars of one instrument."""

    __slots__ = ("day", "days", "known_from_ns", "minute", "newest_ns", "second", "symbol")

    def __init__(self, symbol: str, left: ResumedBars) -> None:
        self.symbol = symbol
        self.days = left.days
        self.second = BarBuilder(symbol, every(SECOND_NS))
        self.minute = BarBuilder(
            symbol, every(MINUTE_NS), left.minute, patience_ns=CLOSING_PATIENCE_NS
        )
        self.day = BarBuilder(
            symbol, self.days.period_of, left.day, patience_ns=CLOSING_PATIENCE_NS
        )
        if left.ended_day is not None:
            self.day.add_closed(left.ended_day)
        if left.minute is not None:
            self.day.add_bar(left.minute, left.minute.start_ns)
        self.newest_ns = 0
        self.known_from_ns = max(left.minute.start_ns, left.drawn_until_ns) if left.minute else None
        """Trades of before are those of an earlier run: nobody here knows the others of their bars,
        or they are drawn.
        """

    def follow_back(self, clock_ns: int) -> None:
        """Our clock was ahead and is set right: the time it told must not make trades late."""
        if self.newest_ns - clock_ns > LATE_NS:
            self.newest_ns = clock_ns

    def close(self, now_ns: int) -> list[DatedBar]:
        """What is over at `now_ns`, shorter bars first; with each minute goes the day so far."""
        if now_ns > self.newest_ns:
            self.newest_ns = now_ns
        finished: list[DatedBar] = []
        second = self.second.close(now_ns)
        if second is None and self.minute.is_open_at(now_ns):
            return finished
        if second is not None:
            finished.append(DatedBar(SECOND, second))
        minute = self.minute.close(now_ns)
        if minute is not None:
            finished.append(DatedBar(MINUTE, minute))
        day = self.day.close(now_ns) or (self.day.open_bar if minute is not None else None)
        if day is not None:
            finished.append(DatedBar(DAY, day))
        return finished

    def take(self, trade: Trade) -> Taken:
        t_ns = trade.t_ns
        finished = self.close(t_ns) if t_ns >= self.newest_ns else []
        if self.known_from_ns is None:
            self.known_from_ns = floor_ns(t_ns, MINUTE_NS)
        if self.newest_ns - t_ns > LATE_NS or t_ns < self.known_from_ns:
            return Taken(finished, is_late=True)
        closing_ns = self.days.closing_ns(t_ns) if trade.flags & CLOSING else None
        if closing_ns is not None:
            return Taken(finished + self._take_closing(trade, closing_ns), is_late=False)
        for timeframe, builder in (
            (SECOND, self.second),
            (MINUTE, self.minute),
            (DAY, self.day),
        ):
            amended = builder.add(trade, t_ns)
            if amended is not None:
                finished.append(DatedBar(timeframe, amended))
        return Taken(finished, is_late=False)

    def _take_closing(self, trade: Trade, closing_ns: int) -> list[DatedBar]:
        """A closing print is its session's last: in the last minute, unless that is of an earlier
        run, and in the day if its bar is known. It begins no day: the stored one would be lost.
        """
        told: list[tuple[str, Bar | None]] = []
        if closing_ns >= (self.known_from_ns or 0):
            told.append((MINUTE, self.minute.add(trade, closing_ns)))
        if self.day.knows(closing_ns):
            told.append((DAY, self.day.add(trade, closing_ns)))
        return [DatedBar(timeframe, bar) for timeframe, bar in told if bar is not None]


class BarKeeper:
    """Turns trades into the bars of every instrument that this process feeds."""

    def __init__(self, resumed: Mapping[str, ResumedBars]) -> None:
        """`resumed` names every instrument of the process."""
        self._bars = {symbol: _Bars(symbol, left) for symbol, left in resumed.items()}

    def change_days(self, days: Mapping[str, TradingDays]) -> None:
        """Know the sessions in `days` from now on."""
        for symbol, of_venue in days.items():
            bars = self._bars.get(symbol)
            if bars is not None:
                bars.days = of_venue
                bars.day.change_periods(of_venue.period_of)

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(self._bars)

    def take(self, trade: Trade) -> Taken:
        """Take a trade in. KeyError for an instrument that the process does not feed."""
        return self._bars[trade.symbol].take(trade)

    def take_minute(self, bar: Bar) -> list[DatedBar]:
        """Take in a closed minute that a source told whole: it and the day that it belongs to."""
        bars = self._bars[bar.symbol]
        finished = bars.close(bar.start_ns)
        bars.day.add_bar(bar, bar.start_ns)
        day = bars.day.open_bar
        told = [DatedBar(MINUTE, bar)]
        return [*finished, *told] if day is None else [*finished, *told, DatedBar(DAY, day)]

    def close_until(self, now_ns: int) -> list[DatedBar]:
        """The bars that are over at `now_ns`, by our clock, although no later trade has said so."""
        for bars in self._bars.values():
            bars.follow_back(now_ns)
        return [dated for bars in self._bars.values() for dated in bars.close(now_ns)]

    def open_bars(self, symbols: Iterable[str] | None = None) -> list[DatedBar]:
        """The minutes and days that trades are still coming into, of `symbols` or of all."""
        found: list[DatedBar] = []
        for symbol in self._bars if symbols is None else symbols:
            bars = self._bars[symbol]
            for timeframe, builder in ((MINUTE, bars.minute), (DAY, bars.day)):
                bar = builder.open_bar
                if bar is not None:
                    found.append(DatedBar(timeframe, bar))
        return found
