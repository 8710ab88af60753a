"""Which calendars are in session: what pages and the API say of a market beside the state that is
set. By the stored sessions, so that it is what the engine decides (docs/market-states.md, K1, K3).
"""

from collections.abc import Collection
from datetime import datetime

from marketdata.domain.market_states import MarketState
from marketdata.domain.sessions import ALWAYS, MarketHours
from marketdata.models import Instrument, Session


def hours_of(calendars: Collection[str], now: datetime) -> dict[str, MarketHours]:
    """By calendar, in one statement; in none where nothing ever closes."""
    hours = {code: MarketHours(is_open=code == ALWAYS, calendar=code) for code in calendars}
    kept = hours.keys() - {ALWAYS}
    if not kept:
        return hours
    coming = Session.objects.filter(calendar__in=kept, closes_at__gt=now)
    for session in coming.order_by("calendar", "closes_at").distinct("calendar"):
        is_open, code = session.opens_at <= now, session.calendar
        hours[code] = MarketHours(is_open, None if is_open else session.opens_at, code)
    return hours


def hours_now(instrument: Instrument, now: datetime) -> MarketHours:
    """Whether the instrument's market is in session."""
    calendar = instrument.venue.calendar
    return hours_of([calendar], now)[calendar]


def state_in(instrument: Instrument, hours: MarketHours) -> MarketState:
    """What an order meets: CLOSED outside the sessions, else the state that is set (K3)."""
    return MarketState(instrument.status) if hours.is_open else MarketState.CLOSED
