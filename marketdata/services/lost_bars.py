"""Bars that a killed feed process had not stored, drawn again from the trades that it had.

Used once, when the feed process starts; the same rules draw them that drew them live.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Max

from core.domain.clock import from_ns, to_ns
from marketdata.domain.bars import MINUTE_NS, Bar, floor_ns
from marketdata.domain.e8 import NotStorableError
from marketdata.domain.keeping import MINUTE, SECOND, BarKeeper, DatedBar, ResumedBars
from marketdata.domain.stored import SecondRow, second_row
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.trading_days import TradingDays
from marketdata.domain.values import Trade
from marketdata.models import Bar as StoredBar
from marketdata.selectors import TradeView, feed_names, trades_in
from marketdata.services.ticks import save_seconds

LOOK_BACK: Final = timedelta(minutes=10)
"""Minutes are stored as they end: a process that was killed had at most the last one or two of them
unstored. Trades are looked for from the newest stored minute on; where there is none, so far back.
"""
LONGEST_AGO: Final = timedelta(days=1)
"""A process that starts later than that begins anew."""
MOST_TRADES: Final = 100_000
"""Of one instrument: ten minutes of the busiest market there is. Where more are stored than that,
somebody has imported them, and nothing is drawn.
"""
MICROSECOND_NS: Final = 1_000
LATE: Final = int(TradeFlag.LATE)


class LostBars(NamedTuple):
    """Of one instrument: the minutes that are over (closed bars, rising), the one that is open, and
    the nanosecond after the newest trade that they are drawn from.
    """

    minutes: list[DatedBar]
    minute: Bar | None
    drawn_until_ns: int


def lost_bars(
    instrument_ids: Mapping[str, int], days: Mapping[str, TradingDays], now_ns: int
) -> dict[str, LostBars]:
    """By symbol, where there are stored trades from the newest stored minute on. Their seconds are
    stored as well, where that has more trades in it.
    """
    newest = _newest_minutes(instrument_ids.values(), now_ns)
    names = feed_names()
    found: dict[str, LostBars] = {}
    for symbol, instrument_id in instrument_ids.items():
        start = newest.get(instrument_id, from_ns(floor_ns(now_ns, MINUTE_NS)) - LOOK_BACK)
        stored = trades_in(instrument_id, start, from_ns(now_ns), MOST_TRADES)
        if not 0 < len(stored) < MOST_TRADES:
            continue
        finished, opened = _drawn(symbol, stored, days[symbol], now_ns)
        feed_id = stored[-1].feed_id
        save_seconds(list(_second_rows(instrument_id, feed_id, finished)))
        minutes = {
            dated.bar.start_ns: dated._replace(feed=names.get(feed_id, ""))
            for dated in finished
            if dated.timeframe == MINUTE
        }
        until_ns = to_ns(stored[-1].at) + MICROSECOND_NS
        found[symbol] = LostBars([minutes[each] for each in sorted(minutes)], opened, until_ns)
    return found


def _newest_minutes(instrument_ids: Iterable[int], now_ns: int) -> dict[int, datetime]:
    """Where the newest stored minute of each instrument begins."""
    minutes = StoredBar.objects.filter(
        instrument__in=instrument_ids,
        timeframe=StoredBar.Timeframe.MINUTE,
        start__gte=from_ns(now_ns) - LONGEST_AGO,
        start__lte=from_ns(now_ns),
    )
    by_instrument = minutes.order_by("instrument_id").values_list("instrument_id")
    return dict(by_instrument.annotate(newest=Max("start")))


def _drawn(
    symbol: str, stored: Sequence[TradeView], days: TradingDays, now_ns: int
) -> tuple[list[DatedBar], Bar | None]:
    """What is over at `now_ns`, and the open minute."""
    keeper = BarKeeper({symbol: ResumedBars(days=days)})
    finished: list[DatedBar] = []
    for print_ in stored:
        if not print_.flags & LATE:
            t_ns = to_ns(print_.at)
            trade = Trade(
                symbol, print_.number, print_.price, print_.size, None, t_ns, flags=print_.flags
            )
            finished += keeper.take(trade).finished
    finished += keeper.close_until(now_ns)
    opened = (dated.bar for dated in keeper.open_bars() if dated.timeframe == MINUTE)
    return finished, next(opened, None)


def _second_rows(
    instrument_id: int, feed_id: int, finished: Iterable[DatedBar]
) -> Iterator[SecondRow]:
    for dated in finished:
        if dated.timeframe != SECOND:
            continue
        try:
            yield second_row(instrument_id, feed_id, dated.bar)
        except NotStorableError:
            continue  # it was refused, counted and logged when it was live
