"""Keeps the engine's sessions filled ahead: asks the exchanges' calendars, tells what changed."""

from datetime import date, datetime, timedelta
from typing import Final

from core.domain.clock import to_ns
from marketdata.domain.sessions import ALWAYS, Session
from marketdata.models import Session as SessionRow
from marketdata.models import Venue
from marketdata.services.exchange_hours import exchange_sessions
from orders.domain.command_parts import MAX_SESSIONS
from orders.domain.market_commands import SetSessions
from orders.services.asking import accept, ask_running_or_not

DAYS_AHEAD: Final = 430
"""At least 400 (the longest GTD order), and a month in which a job that fails hurts nobody."""

DAYS_BACK: Final = 7


def fill_sessions(*, now: datetime, request_id: str) -> int:
    """Tell the engine what is new about each calendar that a venue keeps; how many days changed.

    Days that are over stay as they are. Doing it twice changes nothing.
    """
    codes = Venue.objects.exclude(calendar=ALWAYS).values_list("calendar", flat=True)
    return sum(_fill(code, now, request_id) for code in sorted(set(codes)))


def _fill(code: str, now: datetime, request_id: str) -> int:
    first = now.date() - timedelta(days=DAYS_BACK)
    last = now.date() + timedelta(days=DAYS_AHEAD)
    expected = {session.day: session for session in exchange_sessions(code, first, last)}
    known = _known(code, first, last)
    changed = [session for day, session in expected.items() if known.get(day) != session]
    removed = [day for day in known if day not in expected and day > now.date()]
    if changed or removed:
        for part in range(0, max(len(changed), len(removed)), MAX_SESSIONS):
            until = part + MAX_SESSIONS
            command = SetSessions(
                code,
                [(str(day), opens, closes) for day, opens, closes in changed[part:until]],
                [str(day) for day in removed[part:until]],
                request_id,
            )
            for reply in ask_running_or_not([command]):
                accept(reply)
    return len(changed) + len(removed)


def _known(code: str, first: date, last: date) -> dict[date, Session]:
    rows = SessionRow.objects.filter(calendar=code, day__range=(first, last)).order_by("day")
    return {row.day: Session(row.day, to_ns(row.opens_at), to_ns(row.closes_at)) for row in rows}
