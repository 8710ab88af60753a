"""Bars of any length for charts, snapshots and the API, with the minute that is still open.

What is stored is aggregated by marketdata.selectors.stored_bars.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.domain.clock import from_ns, to_ns
from marketdata.domain.bar_view import BarView
from marketdata.domain.bars import MINUTE_NS, floor_ns
from marketdata.domain.dialect import BarWire
from marketdata.domain.factors import Adjustment
from marketdata.domain.timeframes import Timeframe, Unit
from marketdata.models import Bar, Instrument
from marketdata.selectors.live import LiveDataUnavailableError, latest_bars
from marketdata.selectors.stored_bars import LENGTHS, BarWindow, bars_in

__all__ = [
    "CHART_LIMIT",
    "CHART_TIMEFRAMES",
    "BarView",
    "BarWindow",
    "bar_view",
    "bars_for_chart",
    "bars_in",
    "daily_bars",
    "day_start",
    "with_open_minute",
]

CHART_TIMEFRAMES = ("1Min", "5Min", "15Min", "1Hour", "1Day")
CHART_LIMIT = 2_000
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

    The minute (or day) that is still open stands at the end, as far as the live cache knows it.
    """
    limit = min(limit, CHART_LIMIT)
    span = LENGTHS[timeframe.unit] * timeframe.amount * limit
    stored: list[BarView] = []
    # Most charts have no holes; those that do (weekends, a feed that was off) look further back.
    for look_back in (span, span * 2 + LONGEST_HOLE):
        window = BarWindow(timeframe, now - look_back, now, limit, True, adjustment)
        stored = bars_in(instrument.pk, window)[::-1]
        if len(stored) >= limit - 1:
            break
    return with_open_minute(instrument, timeframe, stored)[-limit:]


def with_open_minute(
    instrument: Instrument, timeframe: Timeframe, stored: list[BarView]
) -> list[BarView]:
    """`stored` bars and the minute of the live cache, which the database gets only when it
    closes. Seconds stay as they are stored.
    """
    if timeframe.unit is Unit.SECOND:
        return stored
    try:
        live = latest_bars([instrument.symbol]).get(instrument.symbol)
    except LiveDataUnavailableError:
        return stored
    if live is None:
        return stored
    minute = bar_view(live)
    zone = instrument.venue.time_zone
    bucket = minute._replace(start=_bucket_of(minute.start, timeframe, zone))
    if not stored or stored[-1].start < bucket.start:
        return [*stored, bucket]
    if stored[-1].start > bucket.start or _is_stored(instrument.pk, minute.start):
        return stored
    return [*stored[:-1], _merged(stored[-1], minute)]


def bar_view(live: BarWire) -> BarView:
    return BarView(live.t, live.o, live.h, live.l, live.c, live.v, live.n, live.vw)


def daily_bars(
    instruments: Sequence[Instrument], minutes: Mapping[str, BarView], now: datetime
) -> dict[str, tuple[BarView | None, BarView | None]]:
    """By symbol: today's bar up to the open minute of `minutes`, and the last bar before today. The
    venue's time zone says what day it is.
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
    stored_minutes = set(
        Bar.objects.filter(
            instrument__in=instruments,
            timeframe=Bar.Timeframe.MINUTE,
            start__in={minute.start for minute in minutes.values()},
        ).values_list("instrument_id", "start")
    )
    days: dict[str, tuple[BarView | None, BarView | None]] = {}
    for instrument in instruments:
        bars = by_instrument[instrument.pk]
        today = day_start(now, instrument.venue.time_zone)
        current = next((bar for bar in bars if bar.start == today), None)
        before = next((bar for bar in bars if bar.start < today), None)
        minute = minutes.get(instrument.symbol)
        if minute and minute.start >= today and (instrument.pk, minute.start) not in stored_minutes:
            opened = minute._replace(start=today)
            current = _merged(current, minute) if current else opened
        days[instrument.symbol] = (current, before)
    return days


def _stored_view(row: Bar) -> BarView:
    return BarView(
        row.start, row.open, row.high, row.low, row.close, row.volume, row.trade_count, row.vwap
    )


def day_start(moment: datetime, zone: str) -> datetime:
    """The midnight of `zone` that began the day of `moment`, in UTC."""
    here = ZoneInfo(zone)
    return datetime.combine(moment.astimezone(here).date(), time(), here).astimezone(UTC)


def _bucket_of(minute: datetime, timeframe: Timeframe, zone: str) -> datetime:
    """Where the bar of one of CHART_TIMEFRAMES begins that the minute belongs to."""
    if timeframe.is_from_days:
        return day_start(minute, zone)
    length_ns = MINUTE_NS * timeframe.amount
    if timeframe.unit is Unit.HOUR:
        length_ns *= 60
    return from_ns(floor_ns(to_ns(minute), length_ns))


def _is_stored(instrument_id: int, minute: datetime) -> bool:
    return Bar.objects.filter(
        instrument_id=instrument_id, timeframe=Bar.Timeframe.MINUTE, start=minute
    ).exists()


def _merged(bar: BarView, minute: BarView) -> BarView:
    volume = bar.volume + minute.volume
    turnover = (bar.vwap or 0) * bar.volume + (minute.vwap or 0) * minute.volume
    return bar._replace(
        high=max(bar.high, minute.high),
        low=min(bar.low, minute.low),
        close=minute.close,
        volume=volume,
        trade_count=bar.trade_count + minute.trade_count,
        vwap=round(turnover / volume, 8) if volume and bar.vwap is not None else None,
    )
