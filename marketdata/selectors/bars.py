"""Bars of any length for charts, snapshots and the API, with the one that is still open.

What is stored is aggregated by marketdata.selectors.stored_bars.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, Final

from django.db.models import QuerySet

from marketdata.domain.bar_view import BarView
from marketdata.domain.dialect import BarWire
from marketdata.domain.factors import Adjustment
from marketdata.domain.keeping import DAY, MINUTE, SECOND
from marketdata.domain.timeframes import Timeframe, Unit, bar_start, day_start
from marketdata.models import Bar, Instrument, SecondBar
from marketdata.selectors.live import LiveDataUnavailableError, latest_bars
from marketdata.selectors.stored_bars import BarWindow, bars_in

__all__ = [
    "CHART_LIMIT",
    "CHART_TIMEFRAMES",
    "BarView",
    "BarWindow",
    "bar_view",
    "bars_for_chart",
    "bars_in",
    "daily_bars",
    "with_open_bar",
]

CHART_TIMEFRAMES: Final = (
    *("1Sec", "5Sec", "15Sec", "1Min", "5Min", "15Min", "30Min"),
    *("1Hour", "4Hour", "1Day", "1Week", "1Month"),
)
CHART_LIMIT = 2_000
ONE_DAY: Final = Timeframe(1, Unit.DAY)
_MADE_OF: Final = {
    Unit.MINUTE: [Bar.Timeframe.MINUTE],
    Unit.HOUR: [Bar.Timeframe.MINUTE, Bar.Timeframe.HOUR],
}
"""Days, weeks and months are made of days."""
LONGEST_HOLE = timedelta(days=7)
LONGEST_CLOSING = timedelta(days=14)
"""How far back the previous day's bar is looked for."""


def bars_for_chart(
    instrument: Instrument,
    timeframe: Timeframe,
    limit: int,
    now: datetime,
    adjustment: Adjustment = Adjustment.RAW,
) -> list[BarView]:
    """The newest `limit` bars of one of CHART_TIMEFRAMES until `now`, oldest first.

    What is still open stands at the end, as far as the live cache knows it (`with_open_bar`).
    """
    limit = min(limit, CHART_LIMIT)
    window = BarWindow(timeframe, now, now, limit, newest_first=True, adjustment=adjustment)
    stored = _stored_until(instrument.pk, window)
    if not stored:  # nobody has traded for long, or only a past was imported
        last = _last_start(instrument.pk, timeframe, now)
        if last is not None:
            stored = _stored_until(instrument.pk, replace(window, end=last))
    return with_open_bar(instrument, timeframe, stored, adjustment)[-limit:]


def _stored_until(instrument_id: int, window: BarWindow) -> list[BarView]:
    """The newest bars of before the window's end, oldest first, from wherever they start."""
    stored: list[BarView] = []
    span = window.timeframe.length * window.limit
    # Most charts have no holes; those that do (weekends, a feed that was off) look further back.
    for look_back in (span, span * 2 + LONGEST_HOLE):
        stored = bars_in(instrument_id, replace(window, start=window.end - look_back))[::-1]
        if len(stored) >= window.limit - 1:
            break
    return stored


def _last_start(instrument_id: int, timeframe: Timeframe, now: datetime) -> datetime | None:
    """When the newest stored bar began, of those that bars of `timeframe` are made of."""
    tables: list[QuerySet[Any]] = [SecondBar.objects.all()]  # Any: seconds or longer bars
    if timeframe.unit is not Unit.SECOND:
        lengths = _MADE_OF.get(timeframe.unit, [Bar.Timeframe.DAY])
        tables = [Bar.objects.filter(timeframe=length) for length in lengths]
    starts: list[datetime | None] = [
        table.filter(instrument_id=instrument_id, start__lte=now)
        .order_by("-start")
        .values_list("start", flat=True)
        .first()
        for table in tables
    ]
    return max((start for start in starts if start is not None), default=None)


def with_open_bar(
    instrument: Instrument,
    timeframe: Timeframe,
    stored: list[BarView],
    adjustment: Adjustment = Adjustment.RAW,
) -> list[BarView]:
    """`stored` bars and what the live cache knows that the database gets only when it is over: the
    newest second, the open minute, or the running day as its venue's sessions make it.
    """
    if timeframe.is_from_days:
        return _with_running_day(instrument, timeframe, stored, adjustment)
    newest = _newest(instrument.symbol, SECOND if timeframe.unit is Unit.SECOND else MINUTE)
    if newest is None:
        return stored
    bucket = newest._replace(start=bar_start(newest.start, timeframe, instrument.venue.time_zone))
    if not stored or stored[-1].start < bucket.start:
        return [*stored, bucket]
    if stored[-1].start > bucket.start or _is_stored(instrument.pk, timeframe, newest.start):
        return stored
    return [*stored[:-1], _merged(stored[-1], newest)]


def _with_running_day(
    instrument: Instrument, timeframe: Timeframe, stored: list[BarView], adjustment: Adjustment
) -> list[BarView]:
    """The last bar is that of the stored days before the running one, and of that."""
    day = _newest(instrument.symbol, DAY)
    if day is None:
        return stored
    start = day.start
    if timeframe.unit is not Unit.DAY:
        start = bar_start(day.start, timeframe, instrument.venue.time_zone)
    if stored and stored[-1].start > start:
        return stored
    window = BarWindow(ONE_DAY, start, day.start, timeframe.length.days, adjustment=adjustment)
    days = bars_in(instrument.pk, window)
    if days and days[-1].start == day.start:
        same = days.pop()
        if _is_fuller(same, day):
            return stored
    whole = reduce(_merged, [*days, day])._replace(start=start)
    before = stored[:-1] if stored and stored[-1].start == start else stored
    return [*before, whole]


def _newest(symbol: str, timeframe: str) -> BarView | None:
    try:
        live = latest_bars([symbol], timeframe).get(symbol)
    except LiveDataUnavailableError:
        return None
    return None if live is None else bar_view(live)


def _is_fuller(stored: BarView, live: BarView) -> bool:
    """Whether the stored day has more in it: somebody imported it whole."""
    return stored.volume > live.volume


def bar_view(live: BarWire) -> BarView:
    return BarView(live.t, live.o, live.h, live.l, live.c, live.v, live.n, live.vw)


def daily_bars(
    instruments: Sequence[Instrument], running: Mapping[str, BarView], now: datetime
) -> dict[str, tuple[BarView | None, BarView | None]]:
    """By symbol: today's bar, which is that of the `running` days (the live cache's) while it
    grows, and the last bar before today. The venue's time zone says what day it is.
    """
    rows = Bar.objects.filter(
        instrument__in=instruments,
        timeframe=Bar.Timeframe.DAY,
        start__gte=now - LONGEST_CLOSING,
        start__lte=now,
    ).order_by("-start", "pk")
    by_instrument: defaultdict[int, list[BarView]] = defaultdict(list)
    for row in rows:
        by_instrument[row.instrument_id].append(_stored_view(row))
    days: dict[str, tuple[BarView | None, BarView | None]] = {}
    for instrument in instruments:
        bars = by_instrument[instrument.pk]
        today = day_start(now, instrument.venue.time_zone)
        current = next((bar for bar in bars if bar.start == today), None)
        before = next((bar for bar in bars if bar.start < today), None)
        live = running.get(instrument.symbol)
        if live and live.start == today and not (current and _is_fuller(current, live)):
            current = live
        days[instrument.symbol] = (current, before)
    return days


def _stored_view(row: Bar) -> BarView:
    return BarView(
        row.start, row.open, row.high, row.low, row.close, row.volume, row.trade_count, row.vwap
    )


def _is_stored(instrument_id: int, timeframe: Timeframe, start: datetime) -> bool:
    """Whether the second or minute is, that bars of `timeframe` are made of."""
    if timeframe.unit is Unit.SECOND:
        return SecondBar.objects.filter(instrument_id=instrument_id, start=start).exists()
    return Bar.objects.filter(
        instrument_id=instrument_id, timeframe=Bar.Timeframe.MINUTE, start=start
    ).exists()


def _merged(bar: BarView, later: BarView) -> BarView:
    volume = bar.volume + later.volume
    turnover = (bar.vwap or 0) * bar.volume + (later.vwap or 0) * later.volume
    return bar._replace(
        high=max(bar.high, later.high),
        low=min(bar.low, later.low),
        close=later.close,
        volume=volume,
        trade_count=bar.trade_count + later.trade_count,
        vwap=round(turnover / volume, 8) if volume and bar.vwap is not None else None,
    )
