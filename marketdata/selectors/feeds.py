"""The configured feeds, as the feed process runs them, and the hours of the venues they feed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings

from core.domain.clock import from_ns, to_ns
from marketdata.domain import sessions as domain
from marketdata.domain.plan import FeedInstrument
from marketdata.domain.trading_days import SessionDays, TradingDays, UtcDays
from marketdata.models import Feed, FeedRoute, Instrument, Session
from marketdata.selectors.instruments import feed_instruments

SESSIONS_BEFORE: Final = timedelta(days=10)
SESSIONS_AFTER: Final = timedelta(days=20)
"""Around now; the process reads them anew long before they end."""


@dataclass(frozen=True, slots=True)
class ConfiguredFeed:
    """An enabled row of `Feed`; `credentials` as they are stored."""

    id: int
    name: str
    adapter: str
    options: Mapping[str, Any]  # Any: JSON of an operator
    credentials: bytes | None
    instruments: Sequence[FeedInstrument]


def configured_feeds(adapters: Sequence[str]) -> list[ConfiguredFeed]:
    """The enabled feeds of `adapters` that some instrument may follow, by name."""
    rows = Feed.objects.filter(is_enabled=True, adapter__in=adapters).order_by("name", "pk")
    feeds = [
        ConfiguredFeed(
            row.pk,
            row.name,
            row.adapter,
            row.options,
            None if row.credentials is None else bytes(row.credentials),
            feed_instruments(row.name),
        )
        for row in rows
    ]
    return [feed for feed in feeds if feed.instruments]


def ranked_feeds(feeds: Sequence[str]) -> dict[str, list[str]]:
    """By symbol: which of `feeds` it may follow, the best first."""
    ranked: dict[str, list[str]] = {}
    routes = (
        FeedRoute.objects.filter(feed__name__in=feeds)
        .order_by("instrument__symbol", "rank", "pk")
        .values_list("instrument__symbol", "feed__name")
    )
    for symbol, feed in routes:
        ranked.setdefault(symbol, []).append(feed)
    return ranked


def follows_feed(instrument: Instrument) -> bool:
    """Whether its prices are to come from a feed: it has a route, and the portal runs feeds. The
    engine asks the same when it starts (orders/engine/loading.py).
    """
    return settings.MARKET != "none" and FeedRoute.objects.filter(instrument=instrument).exists()


def instrument_ids(symbols: Sequence[str]) -> dict[str, int]:
    rows = Instrument.objects.filter(symbol__in=symbols).order_by("pk")
    return dict(rows.values_list("symbol", "pk"))


def trading_days(symbols: Sequence[str], now_ns: int) -> dict[str, TradingDays]:
    """By symbol: the days of its venue, of which the sessions around `now_ns` are known."""
    venues = {
        symbol: (calendar, zone)
        for symbol, calendar, zone in Instrument.objects.filter(symbol__in=symbols)
        .order_by("pk")
        .values_list("symbol", "venue__calendar", "venue__time_zone")
    }
    known: dict[tuple[str, str], TradingDays] = {
        venue: _days_of(*venue, now_ns) for venue in set(venues.values())
    }
    return {symbol: known[venue] for symbol, venue in venues.items()}


def _days_of(calendar: str, time_zone: str, now_ns: int) -> TradingDays:
    if calendar == domain.ALWAYS:
        return UtcDays()
    now = from_ns(now_ns)
    rows = Session.objects.filter(
        calendar=calendar,
        closes_at__gte=now - SESSIONS_BEFORE,
        opens_at__lte=now + SESSIONS_AFTER,
    ).order_by("opens_at", "pk")
    sessions = [domain.Session(row.day, to_ns(row.opens_at), to_ns(row.closes_at)) for row in rows]
    return SessionDays(sessions, time_zone)


def feed_names() -> dict[int, str]:
    """The name of every feed by its number, which is what stored ticks have of it."""
    return dict(Feed.objects.order_by("pk").values_list("pk", "name"))
