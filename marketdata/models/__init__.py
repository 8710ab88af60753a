"""What market data is stored: instruments, bars, ticks, feeds, imports, watchlists."""

from marketdata.models.bars import AdjustmentFactor, Bar
from marketdata.models.feeds import Feed, FeedRoute
from marketdata.models.imports import Hole, ImportJob
from marketdata.models.reference import Currency, Instrument, Session, Venue
from marketdata.models.ticks import SecondBar, StoredQuote, StoredTrade, TickDay
from marketdata.models.watchlists import Formula, Watchlist, WatchlistItem

__all__ = [
    "AdjustmentFactor",
    "Bar",
    "Currency",
    "Feed",
    "FeedRoute",
    "Formula",
    "Hole",
    "ImportJob",
    "Instrument",
    "SecondBar",
    "Session",
    "StoredQuote",
    "StoredTrade",
    "TickDay",
    "Venue",
    "Watchlist",
    "WatchlistItem",
]
