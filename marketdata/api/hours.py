"""`/v2/clock` and `/v2/calendar`: when the market is open. Unless `calendar` names one, always.

The sessions are those that the engine decides by (marketdata/domain/sessions.py), so that the API
does not say one thing and an order meets another.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from marketdata.api import schema
from marketdata.api.base import DataView
from marketdata.api.params import Query, invalid
from marketdata.domain.dialect import Fields
from marketdata.domain.sessions import ALWAYS
from marketdata.models import Session, Venue

LONGEST_CALENDAR = timedelta(days=3_660)
DEFAULT_CALENDAR = timedelta(days=365)
OPEN, CLOSE = "00:00", "23:59"
WHICH = OpenApiParameter(
    "calendar", str, description="ALWAYS (the default) or that of a venue, such as XNYS"
)


class ClockView(DataView):
    """A market that never closes ends its day at midnight UTC, and the next begins with it."""

    @extend_schema(
        summary="The venue's clock", tags=["Market"], parameters=[WHICH], responses=schema.CLOCK
    )
    def get(self, request: Request) -> Response:
        code = _calendar(Query(request.query_params, ("calendar",)))
        now = self.now()
        if code != ALWAYS:
            return Response(_clock(code, now))
        midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        always = {"is_open": True, "next_open": midnight, "next_close": midnight}
        return Response({"timestamp": _stamp(now)} | always)


class CalendarView(DataView):
    """The trading days; of a market that never closes that is every day."""

    @extend_schema(
        summary="Trading days",
        tags=["Market"],
        parameters=[OpenApiParameter("start", str), OpenApiParameter("end", str), WHICH],
        responses=schema.CALENDAR_DAY(many=True),
    )
    def get(self, request: Request) -> Response:
        query = Query(request.query_params, ("start", "end", "date_type", "calendar"))
        code = _calendar(query)
        today = self.now().date()
        start = query.day("start") or today - DEFAULT_CALENDAR
        end = query.day("end") or max(today, start) + DEFAULT_CALENDAR
        if end - start > LONGEST_CALENDAR:
            raise invalid("end", f"at most {LONGEST_CALENDAR.days} days after start")
        if code != ALWAYS:
            return Response(_trading_days(code, start, end))
        days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
        return Response([{"date": day.isoformat(), "open": OPEN, "close": CLOSE} for day in days])


def _calendar(query: Query) -> str:
    code = query.text("calendar") or ALWAYS
    if code != ALWAYS and not Venue.objects.filter(calendar=code).exists():
        raise invalid("calendar", "no venue keeps it")
    return code


def _clock(code: str, now: datetime) -> Fields:
    """Open or not, and the next opening and close. Sessions that are not known are not guessed."""
    ahead = Session.objects.filter(calendar=code, closes_at__gt=now).order_by("closes_at")[:2]
    opening = next((session.opens_at for session in ahead if session.opens_at > now), None)
    if opening is None:
        raise invalid("calendar", "its sessions are not known that far ahead")
    return {
        "timestamp": _stamp(now),
        "is_open": ahead[0].opens_at <= now,
        "next_open": opening,
        "next_close": ahead[0].closes_at,
    }


def _stamp(now: datetime) -> str:
    """With an offset in digits and always with a fraction: ccxt cuts the time out of the text by
    position, and takes a `Z` for hours of an offset.
    """
    return now.isoformat(timespec="microseconds")


def _trading_days(code: str, start: date, end: date) -> list[Fields]:
    """The known sessions in the hours of the venue's own place."""
    place = ZoneInfo(Venue.objects.filter(calendar=code).order_by("code")[0].time_zone)
    sessions = Session.objects.filter(calendar=code, day__range=(start, end)).order_by("day")
    return [
        {
            "date": session.day.isoformat(),
            "open": session.opens_at.astimezone(place).strftime("%H:%M"),
            "close": session.closes_at.astimezone(place).strftime("%H:%M"),
        }
        for session in sessions
    ]
