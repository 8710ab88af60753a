"""Bars from trades: one builder for every interval, with exact borders and a stated place for late
trades.

A bar's `start_ns` is inclusive. Which prints move a bar, and until when a late one still does:
docs/bars.md.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NamedTuple

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import Trade

SECOND_NS: Final = NANOSECONDS_PER_SECOND
MINUTE_NS: Final = 60 * NANOSECONDS_PER_SECOND
DAY_NS: Final = 86_400 * NANOSECONDS_PER_SECOND
LATE_NS: Final = 30 * NANOSECONDS_PER_SECOND
"""A trade that is at most so late amends the bar that was closed without it. Exchanges correct
within seconds; what comes later is a report of the past.
"""
VWAP_STEP: Final = Decimal("0.00000001")
NO_PRICE: Final = int(TradeFlag.NO_PRICE)
NO_VOLUME: Final = int(TradeFlag.NO_VOLUME)
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Bar:
    """Open, high, low, close, volume, number of trades and volume-weighted price of one
    interval.
    """

    symbol: str
    start_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trade_count: int
    vwap: Decimal | None
    is_closed: bool
    is_amended: bool = False
    """It was closed before, and a late trade has changed it."""

    def then(self, later: "Bar") -> "Bar":
        """This bar and a `later` one of the same longer interval in one: `start_ns` stays this
        bar's.
        """
        volume = self.volume + later.volume
        vwap = None
        if volume:
            turnover = (self.vwap or 0) * self.volume + (later.vwap or 0) * later.volume
            vwap = (turnover / volume).quantize(VWAP_STEP)
        return replace(
            self,
            high=max(self.high, later.high),
            low=min(self.low, later.low),
            close=later.close,
            volume=volume,
            trade_count=self.trade_count + later.trade_count,
            vwap=vwap,
        )


class Period(NamedTuple):
    """The interval of one bar: `start_ns` is its name, `opens_ns` (inclusive) to `ends_ns` what it
    takes. They differ for the day of a venue with hours.
    """

    start_ns: int
    opens_ns: int
    ends_ns: int


PeriodOf = Callable[[int], Period | None]
"""The interval that a moment belongs to; None for a moment outside of all."""


def floor_ns(t_ns: int, interval_ns: int) -> int:
    """The start of the interval that `t_ns` lies in; intervals are counted from 1970, UTC."""
    return t_ns - t_ns % interval_ns


def every(length_ns: int) -> PeriodOf:
    """Intervals of `length_ns` from 1970, UTC."""

    def period_of(t_ns: int) -> Period:
        start_ns = t_ns - t_ns % length_ns
        return Period(start_ns, start_ns, start_ns + length_ns)

    return period_of


def roll_up(bars: Iterable[Bar], start_ns: int) -> Bar | None:
    """One open bar from `start_ns` made of `bars` in time order; None of none."""
    whole: Bar | None = None
    for bar in bars:
        whole = (
            replace(bar, start_ns=start_ns, is_closed=False) if whole is None else whole.then(bar)
        )
    return whole


class Growing:
    """A bar that takes trades in, in any order: first and last are told apart by their time."""

    __slots__ = (
        "close", "count", "first_ns", "high", "last_ns", "low", "open", "period", "turnover",
        "volume",
    )  # fmt: skip

    def __init__(self, period: Period) -> None:
        self.period = period
        self.open = self.high = self.low = self.close = ZERO
        self.first_ns = self.last_ns = 0
        self.volume = self.turnover = ZERO
        self.count = 0

    @property
    def has_price(self) -> bool:
        """A bar without a price cannot be drawn, whatever its volume."""
        return self.first_ns != 0

    def add(self, trade: Trade, t_ns: int) -> None:
        """Take `trade` in as of `t_ns`: of two at one moment the later told is the later."""
        flags, price = trade.flags, trade.price
        if not flags & NO_VOLUME:
            self.volume += trade.size
            self.turnover += price * trade.size
            self.count += 1
        if flags & NO_PRICE:
            return
        if not self.first_ns:
            self.open = self.high = self.low = self.close = price
            self.first_ns = self.last_ns = t_ns
            return
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        if t_ns >= self.last_ns:
            self.close, self.last_ns = price, t_ns
        elif t_ns < self.first_ns:
            self.open, self.first_ns = price, t_ns

    def add_bar(self, bar: Bar) -> None:
        """Take a whole shorter bar in, which lies within this one's interval."""
        self.volume += bar.volume
        self.turnover += (bar.vwap if bar.vwap is not None else bar.close) * bar.volume
        self.count += bar.trade_count
        if not self.first_ns:
            self.open, self.high, self.low = bar.open, bar.high, bar.low
            self.first_ns = max(1, bar.start_ns)
        self.high, self.low = max(self.high, bar.high), min(self.low, bar.low)
        if bar.start_ns >= self.last_ns:
            self.close, self.last_ns = bar.close, bar.start_ns

    def as_bar(self, symbol: str, *, is_closed: bool, is_amended: bool = False) -> Bar:
        """The bar so far; it must have a price."""
        vwap = (self.turnover / self.volume).quantize(VWAP_STEP) if self.volume else None
        return Bar(
            symbol,
            self.period.start_ns,
            self.open,
            self.high,
            self.low,
            self.close,
            self.volume,
            self.count,
            vwap,
            is_closed,
            is_amended,
        )


class BarBuilder:
    """Builds the bars of one instrument and one kind of interval out of its trades."""

    def __init__(
        self,
        symbol: str,
        period_of: PeriodOf,
        resumed: Bar | None = None,
        *,
        patience_ns: int = LATE_NS,
    ) -> None:
        """`resumed` is what an earlier run has left of an interval that may still go on. A closed
        bar can be amended for `patience_ns` after its end.
        """
        self._symbol = symbol
        self._period_of = period_of
        self._patience_ns = patience_ns
        self._open: Growing | None = None
        self._closed: dict[int, Growing] = {}
        """Closed bars that a late trade may still amend, by start."""
        if resumed is not None:
            self.add_bar(resumed, resumed.start_ns)

    def change_periods(self, period_of: PeriodOf) -> None:
        """Find intervals by `period_of` from now on; the open bar keeps the one it has."""
        self._period_of = period_of

    @property
    def open_bar(self) -> Bar | None:
        """The bar that trades are still coming into, as far as it has a price."""
        growing = self._open
        if growing is None or not growing.has_price:
            return None
        return growing.as_bar(self._symbol, is_closed=False)

    def is_open_at(self, now_ns: int) -> bool:
        """Whether the open interval still runs at `now_ns`."""
        return self._open is not None and now_ns < self._open.period.ends_ns

    def close(self, now_ns: int) -> Bar | None:
        """The bar whose interval is over at `now_ns`, closed; None when there is none. An interval
        ends when the next begins.
        """
        growing = self._open
        if growing is None or now_ns < growing.period.ends_ns:
            return None
        self._open = None
        self._forget(now_ns)
        self._closed[growing.period.start_ns] = growing
        return growing.as_bar(self._symbol, is_closed=True) if growing.has_price else None

    def add(self, trade: Trade, t_ns: int) -> Bar | None:
        """Take in a trade as of `t_ns`. Returns the closed bar that it amends, if it amends one.

        Call `close(t_ns)` before, so that what it ends is known. A trade of an interval that is
        forgotten, or of none, is left out.
        """
        growing = self._open
        if growing is not None and growing.period.opens_ns <= t_ns < growing.period.ends_ns:
            growing.add(trade, t_ns)
            return None
        period = self._period_of(t_ns)
        if period is None:
            return None
        if growing is None and period.start_ns not in self._closed and self._is_newest(period):
            self._open = Growing(period)
            self._open.add(trade, t_ns)
            return None
        return self._amend(period, trade, t_ns)

    def add_bar(self, bar: Bar, t_ns: int) -> None:
        """Take in a shorter bar of the interval at `t_ns`; left out when that one is closed."""
        period = self._period_of(t_ns)
        if period is None or period.start_ns in self._closed:
            return
        if self._open is None:
            self._open = Growing(period)
        if self._open.period.start_ns == period.start_ns:
            self._open.add_bar(bar)

    def add_closed(self, bar: Bar) -> None:
        """Know again a bar that an earlier run has closed, so that a late trade amends it."""
        period = self._period_of(bar.start_ns)
        if period is not None:
            growing = self._closed[period.start_ns] = Growing(period)
            growing.add_bar(bar)

    def knows(self, t_ns: int) -> bool:
        """Whether the bar at `t_ns` is open, or closed and not forgotten."""
        growing, period = self._open, self._period_of(t_ns)
        if growing is not None and growing.period.opens_ns <= t_ns < growing.period.ends_ns:
            return True
        return period is not None and period.start_ns in self._closed

    def _is_newest(self, period: Period) -> bool:
        return all(period.start_ns > start_ns for start_ns in self._closed)

    def _amend(self, period: Period, trade: Trade, t_ns: int) -> Bar | None:
        growing = self._closed.get(period.start_ns)
        if growing is None:
            growing = self._closed[period.start_ns] = Growing(period)
        growing.add(trade, t_ns)
        if not growing.has_price:
            return None
        return growing.as_bar(self._symbol, is_closed=True, is_amended=True)

    def _forget(self, now_ns: int) -> None:
        for start_ns, growing in tuple(self._closed.items()):
            if growing.period.ends_ns + self._patience_ns < now_ns:
                del self._closed[start_ns]
