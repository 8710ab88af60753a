"""The trading sessions of real exchanges, as the library exchange_calendars knows them.

The only place that loads the library: it takes a second and tens of megabytes (pandas), so it is
loaded when somebody asks, in the worker or a management command, never in the engine or a gateway.
"""

from datetime import date, timedelta
from importlib import import_module
from typing import Any, Final

from core.domain.clock import to_ns
from marketdata.domain.sessions import Session

DAYS_ENOUGH: Final = 30
"""The library makes no calendar without a session in it."""


class UnknownCalendarError(ValueError):
    """The library has no calendar of that code."""


def exchange_sessions(code: str, first: date, last: date) -> list[Session]:
    """The sessions from `first` to `last`, both included. A break at noon counts as open."""
    calendar = _calendar(code, first, last)
    return [
        Session(day.date(), to_ns(row["open"].to_pydatetime()), to_ns(row["close"].to_pydatetime()))
        for day, row in calendar.schedule.iterrows()
    ]


def exchange_time_zone(code: str, today: date) -> str:
    """The name of the time zone that the exchange's hours are told in."""
    return str(_calendar(code, today, today + timedelta(days=DAYS_ENOUGH)).tz)


def _calendar(code: str, first: date, last: date) -> Any:  # Any: the library has no types
    library = import_module("exchange_calendars")
    if code not in library.get_calendar_names(include_aliases=False):
        raise UnknownCalendarError(f"exchange_calendars has no calendar {code!r}")
    return library.get_calendar(code, start=first.isoformat(), end=last.isoformat())
