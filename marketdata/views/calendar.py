"""The market calendar: a month of one venue's days, what is special ahead, and who never closes."""

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.domain.clock import SystemClock
from marketdata.domain.month import WEEK, Sessions, month_after, month_grid
from marketdata.domain.sessions import ALWAYS
from marketdata.forms import MonthForm
from marketdata.models import Venue
from marketdata.selectors.instrument_facts import known_sessions
from marketdata.views.answers import for_viewer

SPECIAL_DAYS: Final = 12
"""Of each kind in the list of what is ahead: about a year of them."""
FIRST_MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)


@require_GET
@for_viewer
def page(request: HttpRequest) -> HttpResponse:
    """The month that the address names, or this one; the calendar that it names, or the first."""
    form = MonthForm(request.GET)
    values = form.cleaned_data if form.is_valid() else {}
    venues = list(Venue.objects.order_by("code"))
    codes = sorted({venue.calendar for venue in venues if venue.calendar != ALWAYS})
    wanted = values.get("calendar") or ""
    code = wanted if wanted in codes else next(iter(codes), "")
    now = SystemClock().now()
    context: dict[str, object] = {
        "calendars": [(name, [v.code for v in venues if v.calendar == name]) for name in codes],
        "always": [venue for venue in venues if venue.calendar == ALWAYS],
        "now": now,
    }
    if code:
        keeper = next(venue for venue in venues if venue.calendar == code)
        zone = ZoneInfo(keeper.time_zone)
        today = now.astimezone(zone).date()
        month = _month(str(values.get("month") or ""), today)
        context |= {"code": code, "zone": keeper.time_zone, "today": today}
        context |= _shown(known_sessions(code, zone), month, today, now)
    return render(request, "marketdata/calendar.html", context)


def _shown(sessions: Sessions, month: date, today: date, now: datetime) -> dict[str, object]:
    coming = sessions.coming(now, 1)
    return {
        "month": month,
        "before": month_after(month, -1),
        "after": month_after(month, 1),
        "weeks": month_grid(month, sessions, today),
        "weekdays": [FIRST_MONDAY.replace(day=1 + number) for number in range(WEEK)],
        "holidays": sessions.holidays(today, SPECIAL_DAYS),
        "short_days": [
            (sessions.hours_of(day), sessions.kind_of(day).value)
            for day in sessions.short_days(today, SPECIAL_DAYS)
        ],
        "usual": (sessions.usual_open, sessions.usual_close),
        "known": (sessions.first, sessions.last),
        "coming": coming[0] if coming else None,
        "is_open": bool(coming) and coming[0].opens_at <= now,
    }


def _month(text: str, today: date) -> date:
    """The first day of "2026-11"; of this month for anything else."""
    if not text:
        return today.replace(day=1)
    year, _, number = text.partition("-")
    return date(int(year), int(number), 1)
