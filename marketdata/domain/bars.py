"""Bars from trades: one-minute bars with exact borders, and days made of minutes.

A bar's `start_ns` is inclusive. A trade that arrives after its minute was closed is counted and
ignored: a closed bar never changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.values import Trade

MINUTE_NS = 60 * NANOSECONDS_PER_SECOND
DAY_NS = 86_400 * NANOSECONDS_PER_SECOND
VWAP_STEP = Decimal("0.00000001")


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


def floor_ns(t_ns: int, interval_ns: int) -> int:
    """The start of the interval that `t_ns` lies in; intervals are counted from 1970, UTC."""
    return t_ns - t_ns % interval_ns


def roll_up(bars: Iterable[Bar], start_ns: int) -> Bar | None:
    """One open bar from `start_ns` made of `bars` in time order; None of none."""
    whole: Bar | None = None
    for bar in bars:
        whole = (
            replace(bar, start_ns=start_ns, is_closed=False) if whole is None else whole.then(bar)
        )
    return whole


class MinuteBars:
    """Builds the one-minute bars of one instrument out of its trades, which come in time order."""

    def __init__(self, symbol: str, resumed: Bar | None = None) -> None:
        """`resumed` is the open bar that an earlier run has left in the current minute."""
        self._symbol = symbol
        self._open = replace(resumed, is_closed=False) if resumed else None
        self._closed_until_ns = resumed.start_ns if resumed else 0
        self.late_trades = 0

    @property
    def open_bar(self) -> Bar | None:
        return self._open

    def close(self, now_ns: int) -> Bar | None:
        """The bar whose minute is over at `now_ns`, closed; None when there is none. A minute ends
        when the next begins.
        """
        bar = self._open
        if bar is None or now_ns < bar.start_ns + MINUTE_NS:
            return None
        self._open = None
        self._closed_until_ns = bar.start_ns + MINUTE_NS
        return replace(bar, is_closed=True)

    def add(self, trade: Trade) -> Bar | None:
        """Take a trade in; returns the bar that it closes by being the first of a later minute."""
        closed = self.close(trade.t_ns)
        if trade.t_ns < (self._open.start_ns if self._open else self._closed_until_ns):
            self.late_trades += 1
            return closed
        print_bar = self._of(trade)
        self._open = print_bar if self._open is None else self._open.then(print_bar)
        return closed

    def _of(self, trade: Trade) -> Bar:
        return Bar(
            symbol=self._symbol,
            start_ns=floor_ns(trade.t_ns, MINUTE_NS),
            open=trade.price,
            high=trade.price,
            low=trade.price,
            close=trade.price,
            volume=trade.size,
            trade_count=1,
            vwap=trade.price,
            is_closed=False,
        )
