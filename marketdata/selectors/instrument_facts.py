"""All that is known of one instrument: its terms, its hours, where its prices come from, what of
its past is stored and what is missing.

Sources of bars are told by reads of an index, never by counting millions of rows: days are grouped
whole, shorter bars by their first and their last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min

from marketdata.domain.dialect import QuoteWire
from marketdata.domain.month import Hours, Sessions
from marketdata.domain.sessions import ALWAYS
from marketdata.models import AdjustmentFactor, Bar, FeedRoute, Hole, Instrument, Session
from marketdata.selectors.live import LiveDataUnavailableError, latest_quotes

COMING_SESSIONS: Final = 5
MOST_FACTORS: Final = 50
"""Of the newest; an old company has hundreds of dividends, and a page is no archive."""
MOST_HOLES: Final = 20
CHART_DAYS: Final = 60
PARTS = (Bar.Timeframe.HOUR, Bar.Timeframe.MINUTE)


@dataclass(frozen=True, slots=True)
class Route:
    """A feed that the instrument takes its prices from; the lowest rank that is fresh is
    followed.
    """

    feed: str
    rank: int
    symbol_there: str
    is_enabled: bool
    is_followed: bool


@dataclass(frozen=True, slots=True)
class StoredRange:
    """Bars of one length that are stored: from when until when, and where they came from. `count`
    is None where counting would cost too much; `sources` are then those of both ends.
    """

    timeframe: str
    sources: str
    first: datetime
    last: datetime
    count: int | None


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """What the detail page and the API tell. `quote` is None where none is known or can be read;
    `followed` is the feed that told it.
    """

    instrument: Instrument
    quote: QuoteWire | None
    never_closes: bool
    is_open: bool
    coming: list[Hours]
    known_until: date | None
    routes: list[Route]
    factors: list[AdjustmentFactor]
    stored: list[StoredRange]
    holes: list[Hole]
    open_holes: int

    @property
    def followed(self) -> str:
        return self.quote.feed if self.quote else ""

    def age_seconds(self, now: datetime) -> int | None:
        """Whole seconds since the newest quote; None without one."""
        return None if self.quote is None else max(0, int((now - self.quote.t).total_seconds()))


def instrument_facts(instrument: Instrument, now: datetime) -> InstrumentFacts:
    """Everything as of `now`, in ten statements whatever is stored."""
    calendar = instrument.venue.calendar
    quote = _quote(instrument.symbol)
    sessions = None if calendar == ALWAYS else known_sessions(calendar, _zone(instrument))
    coming = sessions.coming(now, COMING_SESSIONS) if sessions else []
    holes = Hole.objects.filter(instrument=instrument, filled_at=None)
    return InstrumentFacts(
        instrument=instrument,
        quote=quote,
        never_closes=sessions is None,
        is_open=sessions is None or bool(coming and coming[0].opens_at <= now),
        coming=coming,
        known_until=sessions.last if sessions else None,
        routes=_routes(instrument, quote.feed if quote else ""),
        factors=list(
            AdjustmentFactor.objects.filter(instrument=instrument).order_by("-day", "-pk")[
                :MOST_FACTORS
            ]
        ),
        stored=_stored(instrument),
        holes=list(holes.order_by("-start", "-pk")[:MOST_HOLES]),
        open_holes=holes.count(),
    )


def known_sessions(calendar: str, zone: ZoneInfo) -> Sessions:
    """What is stored of a calendar, a year and a bit ahead and whatever has been kept behind."""
    rows = Session.objects.filter(calendar=calendar).order_by("day")
    return Sessions([Hours(row.day, row.opens_at, row.closes_at) for row in rows], zone)


def recent_days(instrument: Instrument) -> Sequence[tuple[date, Decimal]]:
    """The day and the close of the last CHART_DAYS daily bars, oldest first."""
    rows = (
        Bar.objects.filter(instrument=instrument, timeframe=Bar.Timeframe.DAY)
        .order_by("-start")
        .values_list("start", "close")[:CHART_DAYS]
    )
    return [(start.astimezone(UTC).date(), close) for start, close in reversed(rows)]


def _zone(instrument: Instrument) -> ZoneInfo:
    return ZoneInfo(instrument.venue.time_zone)


def _quote(symbol: str) -> QuoteWire | None:
    try:
        return latest_quotes([symbol]).get(symbol)
    except LiveDataUnavailableError:
        return None


def _routes(instrument: Instrument, followed: str) -> list[Route]:
    rows = (
        FeedRoute.objects.filter(instrument=instrument)
        .select_related("feed")
        .order_by("rank", "pk")
    )
    return [
        Route(
            feed=row.feed.name,
            rank=row.rank,
            symbol_there=row.symbol_there or instrument.symbol,
            is_enabled=row.feed.is_enabled,
            is_followed=row.feed.name == followed,
        )
        for row in rows
    ]


def _stored(instrument: Instrument) -> list[StoredRange]:
    bars = Bar.objects.filter(instrument=instrument)
    days = (
        bars.filter(timeframe=Bar.Timeframe.DAY)
        .values("source")
        .annotate(first=Min("start"), last=Max("start"), count=Count("pk"))
        .order_by("first", "source")
    )
    found = [
        StoredRange(Bar.Timeframe.DAY.value, row["source"], row["first"], row["last"], row["count"])
        for row in days
    ]
    for timeframe in PARTS:
        rows = bars.filter(timeframe=timeframe)
        first = rows.order_by("start").first()
        last = rows.order_by("-start").first()
        if first is not None and last is not None:
            sources = ", ".join(dict.fromkeys((first.source, last.source)))
            found.append(StoredRange(timeframe.value, sources, first.start, last.start, None))
    return found
