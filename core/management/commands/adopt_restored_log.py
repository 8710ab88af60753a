"""Makes the event log readable after a dump was restored into another PostgreSQL cluster."""

from typing import Any

from django.core.management.base import BaseCommand

from core.services import outbox

RELAY_READER = "relay"


class Command(BaseCommand):
    help = "Renumber a restored event log. Stop the portal first; harmless to run again."

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's types
        waiting = outbox.adopt_restored_log(RELAY_READER)
        self.stdout.write(f"The event log is readable again; {waiting} events wait for the relay.")
