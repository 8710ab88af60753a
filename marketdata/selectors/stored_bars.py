"""Stored bars of any length, aggregated in the database from seconds, minutes, hours and days.

Days begin at the venue's midnight, weeks on its Monday, months on their first day there. An hour is
made of minutes; a stored hour counts where there are none. Adjustment for splits and dividends
comes before aggregation, so that a week with a split in it is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from marketdata.domain.bar_view import BarView
from marketdata.domain.factors import Adjustment, Span, spans_of
from marketdata.domain.timeframes import Timeframe, Unit
from marketdata.models import Instrument
from marketdata.selectors.factors import factors_of


@dataclass(frozen=True, slots=True)
class BarWindow:
    """Which bars: those that start from `start` to `end`, both included; at most `limit` of
    them. `adjustment`: which corporate actions are taken out of them.
    """

    timeframe: Timeframe
    start: datetime
    end: datetime
    limit: int
    newest_first: bool = False
    adjustment: Adjustment = Adjustment.RAW


BEFORE_ALL: Final = datetime(1700, 1, 1, tzinfo=UTC)
"""No market has older prices."""
_ZONE: Final = """(SELECT venue.time_zone FROM marketdata_venue AS venue
    JOIN marketdata_instrument AS instrument ON instrument.venue_id = venue.code
    WHERE instrument.id = %(instrument)s)"""
_BUCKETS: Final = {
    Unit.SECOND: "date_bin(make_interval(secs => %(amount)s), start, timestamptz 'epoch')",
    Unit.MINUTE: "date_bin(make_interval(mins => %(amount)s), start, timestamptz 'epoch')",
    Unit.HOUR: "date_bin(make_interval(hours => %(amount)s), start, timestamptz 'epoch')",
    Unit.DAY: "start",
    Unit.WEEK: f"date_trunc('week', start, {_ZONE})",
    # Months are binned within their year: quarters and halves start in January.
    Unit.MONTH: (
        f"(date_trunc('month', start at time zone {_ZONE}) - make_interval(months =>"
        f" (extract(month from start at time zone {_ZONE})::int - 1) %% %(amount)s))"
        f" at time zone {_ZONE}"
    ),
}
_COLUMNS: Final = "start, open, high, low, close, volume, trade_count, vwap"
_STORED: Final = f"""
    SELECT {_COLUMNS} FROM marketdata_bar AS bar
    WHERE instrument_id = %(instrument)s AND timeframe = '{{timeframe}}'
      AND start >= %(start)s AND start < %(source_end)s
"""  # noqa: S608  # names of ours
_DAYS: Final = _STORED.format(timeframe="1Day")
_MINUTES: Final = _STORED.format(timeframe="1Min")
_HOURS: Final = f"""
    {_MINUTES} UNION ALL {_STORED.format(timeframe="1Hour")}
      AND NOT EXISTS (
        SELECT 1 FROM marketdata_bar AS minute
        WHERE minute.instrument_id = %(instrument)s AND minute.timeframe = '1Min'
          AND minute.start >= bar.start AND minute.start < bar.start + interval '1 hour')
"""  # noqa: S608  # names of ours
_SECONDS: Final = """
    SELECT start, open_e8 * 0.00000001 AS open, high_e8 * 0.00000001 AS high,
           low_e8 * 0.00000001 AS low, close_e8 * 0.00000001 AS close,
           volume_e8 * 0.00000001 AS volume, trade_count,
           round(turnover_e8 / nullif(volume_e8, 0), 8) AS vwap
    FROM marketdata_secondbar
    WHERE instrument_id = %(instrument)s AND start >= %(start)s AND start < %(source_end)s
"""
_SOURCES: Final = {Unit.SECOND: _SECONDS, Unit.MINUTE: _MINUTES, Unit.HOUR: _HOURS}
"""Of the lengths that are not made of days."""

_ADJUSTED: Final = """
    SELECT start, coalesce(round(open * price, 8), open) AS open,
           coalesce(round(high * price, 8), high) AS high,
           coalesce(round(low * price, 8), low) AS low,
           coalesce(round(close * price, 8), close) AS close,
           coalesce(round(volume / shares, 8), volume) AS volume, trade_count,
           coalesce(round(vwap * price, 8), vwap) AS vwap
    FROM ({source}) AS raw
    LEFT JOIN unnest(%(spans_from)s::timestamptz[], %(spans_until)s::timestamptz[],
                     %(prices)s::numeric[], %(shares)s::numeric[])
      AS span (first, until, price, shares) ON start >= span.first AND start < span.until
"""
# A bucket that began before the window is left out: the dialect shows whole bars only.
_AGGREGATE: Final = """
    SELECT bucket, (array_agg(open ORDER BY start))[1], max(high), min(low),
           (array_agg(close ORDER BY start DESC))[1], sum(volume), sum(trade_count)::int,
           round(sum(vwap * volume) / nullif(sum(volume) FILTER (WHERE vwap IS NOT NULL), 0), 8)
    FROM (SELECT {bucket} AS bucket, start, open, high, low, close, volume, trade_count, vwap
          FROM ({source}) AS source) AS bars
    WHERE bucket >= %(start)s AND bucket <= %(end)s
    GROUP BY bucket ORDER BY bucket {order} LIMIT %(limit)s
"""


def bars_in(instrument_id: int, window: BarWindow) -> list[BarView]:
    """The stored bars of `window` in the order it asks for; the newest may still be growing.

    Adjusted prices and volumes are rounded half up to 10^-8 before they are aggregated.
    """
    timeframe = window.timeframe
    source = _DAYS if timeframe.is_from_days else _SOURCES[timeframe.unit]
    parameters: dict[str, Any] = {  # Any: SQL's values
        "amount": timeframe.amount,
        "instrument": instrument_id,
        "start": window.start,
        "end": window.end,
        "source_end": window.end + timeframe.length,
        "limit": window.limit,
    }
    spans = _spans(instrument_id, window)
    if spans:
        source = _ADJUSTED.format(source=source)
        parameters |= spans
    statement = _AGGREGATE.format(
        bucket=_BUCKETS[timeframe.unit],
        source=source,
        order="DESC" if window.newest_first else "ASC",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [BarView(*row) for row in cursor.fetchall()]


def _spans(instrument_id: int, window: BarWindow) -> dict[str, Sequence[Any]]:  # Any: SQL's values
    """The factors that hold within the window, as arrays; nothing when none does."""
    if window.adjustment is Adjustment.RAW:
        return {}
    spans = spans_of(factors_of(instrument_id), window.adjustment)
    if not spans:
        return {}
    venue = Instrument.objects.select_related("venue").get(pk=instrument_id).venue
    ends = [(_begins(span, venue.time_zone), span) for span in spans]
    length = window.timeframe.length
    held = [
        (first, until, span)
        for (first, until), span in ends
        if until > window.start and first < window.end + length
    ]
    if not held:
        return {}
    return {
        "spans_from": [first for first, _, _ in held],
        "spans_until": [until for _, until, _ in held],
        "prices": [span.price for _, _, span in held],
        "shares": [span.volume for _, _, span in held],
    }


def _begins(span: Span, zone: str) -> tuple[datetime, datetime]:
    """The moments between which the span's factors hold."""
    here = ZoneInfo(zone)
    day = timedelta(days=1)
    until = datetime.combine(span.until + day, time(), here)
    if span.after is None:
        return BEFORE_ALL, until
    return datetime.combine(span.after + day, time(), here), until
