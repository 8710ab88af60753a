"""`manage.py set_venue_calendar VENUE CALENDAR`: which sessions a venue keeps.

CALENDAR is a code of exchange_calendars (XNYS, XLON), or ALWAYS for a venue that never closes. The
engine reads venues when it starts.
"""

from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from core.domain.clock import SystemClock
from marketdata.domain.sessions import ALWAYS
from marketdata.models import Venue
from marketdata.services.exchange_hours import UnknownCalendarError, exchange_time_zone
from orders.services.sessions import fill_sessions


class Command(BaseCommand):
    help = "Let a venue keep the sessions of an exchange, or none (ALWAYS)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("venue")
        parser.add_argument("calendar")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        code, now = options["calendar"], SystemClock().now()
        try:
            place = "UTC" if code == ALWAYS else exchange_time_zone(code, now.date())
        except UnknownCalendarError as error:
            raise CommandError(str(error)) from error
        venue = Venue.objects.filter(code=options["venue"])
        if not venue.update(calendar=code, time_zone=place):
            raise CommandError(f"There is no venue {options['venue']}.")
        changed = fill_sessions(now=now, request_id=uuid4().hex)
        self.stdout.write(f"{changed} days filled in. Restart the engine: ./portal restart engine")
