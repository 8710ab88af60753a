"""Bars of the past, from the store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from marketdata.api.paging import Fetch, Row, Span
from marketdata.api.params import ADJUSTMENTS, Query
from marketdata.domain.dialect import Fields
from marketdata.domain.factors import Adjustment
from marketdata.models import Instrument
from marketdata.selectors import BarView, BarWindow, bars_in

INSTANT: Final = timedelta(microseconds=1)
WIDER: Final = 8
"""How much more is looked through when a stretch had too few bars: nights, weekends, holes."""
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def bar_fetcher(query: Query) -> Fetch:
    """Bars in the dialect. A page looks through no more of a long window than it needs."""
    timeframe = query.timeframe()
    adjustment = Adjustment(query.choice("adjustment", ADJUSTMENTS, Adjustment.RAW.value))
    length = timeframe.length

    def fetch(instrument: Instrument, span: Span, limit: int) -> list[Row]:
        bars: list[BarView] = []
        for start, end in stretches(span, length * limit):
            window = BarWindow(timeframe, start, end, limit, span.newest_first, adjustment)
            bars = bars_in(instrument.pk, window)
            if len(bars) >= limit:
                break
        return [Row(bar.start, 0, stored_bar_fields(bar)) for bar in bars]

    return fetch


def stretches(span: Span, first: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """From where the order begins, a stretch of `first`, and wider ones until the last is the whole
    of what is left of the span.
    """
    start, end = _left(span)
    width = first
    while start <= end:
        if width >= end - start:
            yield start, end
            return
        yield (end - width, end) if span.newest_first else (start, start + width)
        width *= WIDER


def stored_bar_fields(bar: BarView) -> Fields:
    return {
        "t": bar.start,
        "o": bar.open,
        "h": bar.high,
        "l": bar.low,
        "c": bar.close,
        "v": bar.volume,
        "n": bar.trade_count,
        "vw": bar.vwap,
    }


def _left(span: Span) -> tuple[datetime, datetime]:
    """The span beyond what it has gone through; bars have one for each start, so their numbers do
    not matter.
    """
    if span.after is None:
        return span.start, span.end
    at = span.after[0]
    if span.newest_first:
        return span.start, min(span.end, at - INSTANT if at > EARLIEST else at)
    return max(span.start, at + INSTANT if at < LATEST else at), span.end
