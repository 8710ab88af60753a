"""Bars of any length, aggregated in the database from one-minute and daily bars."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from core.domain.clock import from_ns, to_ns
from marketdata.domain.bars import DAY_NS, MINUTE_NS, floor_ns
from marketdata.domain.dialect import BarWire
from marketdata.domain.timeframes import Timeframe, Unit
from marketdata.models import Bar, Instrument
from marketdata.selectors.live import LiveDataUnavailableError, latest_bars

CHART_TIMEFRAMES = ("1Min", "5Min", "15Min", "1Hour", "1Day")
CHART_LIMIT = 2_000
LONGEST_HOLE = timedelta(days=7)
LONGEST_CLOSING = timedelta(days=14)
"""How far back the previous day's bar is looked for."""


class BarView(NamedTuple):
    """One bar as pages and the API show it."""

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trade_count: int
    vwap: Decimal | None


@dataclass(frozen=True, slots=True)
class BarWindow:
    """Which bars: those that start from `start` to `end`, both included; at most `limit` of
    them.
    """

    timeframe: Timeframe
    start: datetime
    end: datetime
    limit: int
    newest_first: bool = False


_LENGTHS = {
    Unit.MINUTE: timedelta(minutes=1),
    Unit.HOUR: timedelta(hours=1),
    Unit.DAY: timedelta(days=1),
    Unit.WEEK: timedelta(weeks=1),
    Unit.MONTH: timedelta(days=31),
}
_BUCKETS = {
    Unit.MINUTE: "date_bin(make_interval(mins => %(amount)s), start, timestamptz 'epoch')",
    Unit.HOUR: "date_bin(make_interval(hours => %(amount)s), start, timestamptz 'epoch')",
    Unit.DAY: "start",
    Unit.WEEK: "date_trunc('week', start, 'UTC')",
    # Months are binned within their year: quarters and halves start in January.
    Unit.MONTH: (
        "(date_trunc('month', start at time zone 'UTC') - make_interval(months =>"
        " (extract(month from start at time zone 'UTC')::int - 1) %% %(amount)s))"
        " at time zone 'UTC'"
    ),
}
# A bucket that began before the window is left out: the dialect shows whole bars only.
_AGGREGATE = """
    SELECT bucket, (array_agg(open ORDER BY start))[1], max(high), min(low),
           (array_agg(close ORDER BY start DESC))[1], sum(volume), sum(trade_count)::int,
           round(sum(vwap * volume) / nullif(sum(volume) FILTER (WHERE vwap IS NOT NULL), 0), 8)
    FROM (SELECT {bucket} AS bucket, start, open, high, low, close, volume, trade_count, vwap
          FROM marketdata_bar
          WHERE instrument_id = %(instrument)s AND timeframe = %(source)s
            AND start >= %(start)s AND start < %(source_end)s) AS bars
    WHERE bucket >= %(start)s AND bucket <= %(end)s
    GROUP BY bucket ORDER BY bucket {order} LIMIT %(limit)s
"""


def bars_in(instrument_id: int, window: BarWindow) -> list[BarView]:
    """The stored bars of `window` in the order it asks for; the newest may still be growing."""
    timeframe = window.timeframe
    statement = _AGGREGATE.format(
        bucket=_BUCKETS[timeframe.unit], order="DESC" if window.newest_first else "ASC"
    )
    parameters = {
        "amount": timeframe.amount,
        "instrument": instrument_id,
        "source": Bar.Timeframe.DAY if timeframe.is_from_days else Bar.Timeframe.MINUTE,
        "start": window.start,
        "end": window.end,
        "source_end": window.end + _LENGTHS[timeframe.unit] * timeframe.amount,
        "limit": window.limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [BarView(*row) for row in cursor.fetchall()]


def bars_for_chart(
    instrument: Instrument, timeframe: Timeframe, limit: int, now: datetime
) -> list[BarView]:
    """The newest `limit` bars of one of CHART_TIMEFRAMES until `now`, oldest first.

    The minute (or day) that is still open stands at the end, as far as the live cache knows it.
    """
    limit = min(limit, CHART_LIMIT)
    span = _LENGTHS[timeframe.unit] * timeframe.amount * limit
    stored: list[BarView] = []
    # Most charts have no holes; those that do (weekends, a feed that was off) look further back.
    for look_back in (span, span * 2 + LONGEST_HOLE):
        window = BarWindow(timeframe, now - look_back, now, limit, newest_first=True)
        stored = bars_in(instrument.pk, window)[::-1]
        if len(stored) >= limit - 1:
            break
    return with_open_minute(instrument, timeframe, stored)[-limit:]


def with_open_minute(
    instrument: Instrument, timeframe: Timeframe, stored: list[BarView]
) -> list[BarView]:
    """`stored` bars and the minute of the live cache, which the database gets only when it
    closes.
    """
    try:
        live = latest_bars([instrument.symbol]).get(instrument.symbol)
    except LiveDataUnavailableError:
        return stored
    if live is None:
        return stored
    minute = bar_view(live)
    bucket = minute._replace(start=_bucket_of(minute.start, timeframe))
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
    """By symbol: today's bar up to the open minute of `minutes`, and the last bar before today."""
    today = from_ns(floor_ns(to_ns(now), DAY_NS))
    rows = Bar.objects.filter(
        instrument__in=instruments,
        timeframe=Bar.Timeframe.DAY,
        start__gte=today - LONGEST_CLOSING,
        start__lte=today,
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


def _bucket_of(minute: datetime, timeframe: Timeframe) -> datetime:
    length_ns = DAY_NS if timeframe.is_from_days else MINUTE_NS * timeframe.amount
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
