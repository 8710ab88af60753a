"""Keeps bars in PostgreSQL: what the running feed draws, and what it finds when it starts again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from core.domain.clock import from_ns, to_ns
from marketdata.domain import bars as domain
from marketdata.domain.demo import SOURCE_FEED
from marketdata.domain.e8 import NotStorableError, to_e8
from marketdata.domain.keeping import DatedBar, ResumedBars
from marketdata.domain.trading_days import TradingDays, ended_session
from marketdata.metrics import TICKS_NOT_STORABLE
from marketdata.models import Bar, Instrument
from marketdata.selectors import instrument_ids
from marketdata.services.lost_bars import lost_bars

logger = structlog.get_logger(__name__)

BATCH_SIZE = 2_000
LONGEST_DAY = timedelta(days=1)


def bar_row(instrument_id: int, timeframe: str, bar: domain.Bar, source: str) -> Bar:
    return Bar(
        instrument_id=instrument_id,
        timeframe=timeframe,
        start=from_ns(bar.start_ns),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        trade_count=bar.trade_count,
        vwap=bar.vwap,
        source=source,
    )


def domain_bar(row: Bar, symbol: str) -> domain.Bar:
    return domain.Bar(
        symbol=symbol,
        start_ns=to_ns(row.start),
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        trade_count=row.trade_count,
        vwap=row.vwap,
        is_closed=True,
    )


def save_bars(rows: Iterable[Bar]) -> None:
    """Store bars; one that is there already (the day so far, a minute that went on) is replaced."""
    Bar.objects.bulk_create(
        rows,
        batch_size=BATCH_SIZE,
        update_conflicts=True,
        unique_fields=["instrument", "timeframe", "start"],
        update_fields=["open", "high", "low", "close", "volume", "trade_count", "vwap", "source"],
    )


def save_feed_bars(rows: Sequence[DatedBar]) -> None:
    """Store what the feed has drawn. Later rows of the same bar win. A bar with a price finer than
    the store holds is left out, as the trade that told it is (marketdata.domain.e8).
    """
    ids = dict(Instrument.objects.order_by("pk").values_list("symbol", "pk"))
    newest = {(row.bar.symbol, row.timeframe, row.bar.start_ns): row for row in rows}
    save_bars(
        bar_row(ids[row.bar.symbol], row.timeframe, row.bar, row.feed or SOURCE_FEED)
        for row in newest.values()
        if row.bar.symbol in ids and _is_storable(row.bar)
    )


def _is_storable(bar: domain.Bar) -> bool:
    try:
        for price in (bar.open, bar.high, bar.low, bar.close):
            to_e8(price)
    except NotStorableError as error:
        TICKS_NOT_STORABLE.labels(bar.symbol).inc()
        logger.warning("bar_not_storable", symbol=bar.symbol, error=str(error))
        return False
    return True


def resumed_bars(days: Mapping[str, TradingDays], now_ns: int) -> dict[str, ResumedBars]:
    """Of each instrument in `days`: the bars of the day that runs at `now_ns`, or whose closing
    print may still come, as an earlier run (or the seeding) has left them. What a killed run had
    not stored is drawn from its stored trades (`lost_bars`), and stored.

    Minutes that nobody recorded stay missing: a hole in the chart is the truth about a feed that
    was off.
    """
    lost = lost_bars(instrument_ids(list(days)), days, now_ns)
    _store_fuller([minute for found in lost.values() for minute in found.minutes])
    minute_ns = domain.floor_ns(now_ns, domain.MINUTE_NS)
    left = {symbol: ResumedBars(days=of_venue) for symbol, of_venue in days.items()}
    running = {symbol: of_venue.period_of(now_ns) for symbol, of_venue in days.items()}
    ended = {symbol: ended_session(of_venue, now_ns) for symbol, of_venue in days.items()}
    rows = (
        Bar.objects.filter(
            instrument__symbol__in=list(days),
            timeframe=Bar.Timeframe.MINUTE,
            start__gte=from_ns(minute_ns) - LONGEST_DAY,
            start__lte=from_ns(minute_ns),
        )
        .select_related("instrument")
        .order_by("start", "pk")
    )
    minutes: dict[str, list[domain.Bar]] = {symbol: [] for symbol in days}
    for row in rows:
        bar = domain_bar(row, row.instrument.symbol)
        period = running[bar.symbol] or ended[bar.symbol]
        if bar.start_ns == minute_ns:
            left[bar.symbol].minute = bar
        elif period is not None and period.opens_ns <= bar.start_ns < period.ends_ns:
            minutes[bar.symbol].append(bar)
    for symbol, bars in minutes.items():
        day = domain.roll_up(bars, bars[0].start_ns) if bars else None
        if running[symbol] is not None:
            left[symbol].day = day
        else:
            left[symbol].ended_day = _stored_day(symbol, ended[symbol]) or day
    for symbol, found in lost.items():
        kept = left[symbol].minute
        if found.minute is None:
            continue
        left[symbol].drawn_until_ns = found.drawn_until_ns
        if kept is None or kept.trade_count <= found.minute.trade_count:
            left[symbol].minute = found.minute
    return left


def _store_fuller(minutes: Sequence[DatedBar]) -> None:
    """Store those that are not there yet, or with fewer trades in them."""
    stored = {
        (symbol, to_ns(start)): count
        for symbol, start, count in Bar.objects.filter(
            instrument__symbol__in={minute.bar.symbol for minute in minutes},
            timeframe=Bar.Timeframe.MINUTE,
            start__in={from_ns(minute.bar.start_ns) for minute in minutes},
        )
        .order_by("pk")
        .values_list("instrument__symbol", "start", "trade_count")
    }
    save_feed_bars(
        [
            minute
            for minute in minutes
            if minute.bar.trade_count > stored.get((minute.bar.symbol, minute.bar.start_ns), 0)
        ]
    )


def _stored_day(symbol: str, session: domain.Period | None) -> domain.Bar | None:
    """The day as it is stored: a closing print may be in it that no minute has."""
    if session is None:
        return None
    row = Bar.objects.filter(
        instrument__symbol=symbol, timeframe=Bar.Timeframe.DAY, start=from_ns(session.start_ns)
    ).first()
    return replace(domain_bar(row, symbol), start_ns=session.opens_ns) if row else None
