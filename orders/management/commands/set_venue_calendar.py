"""`manage.py set_venue_calendar VENUE CALENDAR`: which sessions a venue keeps.

CALENDAR is a code of exchange_calendars (XNYS, XLON), or ALWAYS for a venue that never closes. The
engine reads venues when it starts.
"""

from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.services import audit
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
        origin = Origin(now=now, request_id=uuid4().hex)
        with transaction.atomic():
            venue = Venue.objects.select_for_update().filter(code=options["venue"]).first()
            if venue is None:
                raise CommandError(f"There is no venue {options['venue']}.")
            facts = {"calendar_before": venue.calendar, "calendar": code, "time_zone": place}
            venue.calendar, venue.time_zone = code, place
            venue.save(update_fields=["calendar", "time_zone"])
            audit.record(
                actor=None,
                action="VenueCalendarSet",
                target=f"venue:{venue.code}",
                facts=facts,
                origin=origin,
            )
        changed = fill_sessions(now=now, request_id=origin.request_id)
        self.stdout.write(f"{changed} days filled in. Restart the engine: ./portal restart engine")
