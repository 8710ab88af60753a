"""Makes the event log and the audit trail readable after a dump was restored into another
PostgreSQL cluster.
"""

from typing import Any

from django.core.management.base import BaseCommand

from core.services import outbox
from core.verification.audit_trail import SEALER

RELAY_READER = "relay"


class Command(BaseCommand):
    help = "Renumber restored logs. Stop the portal first; harmless to run again."

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's types
        waiting = outbox.adopt_restored_log(RELAY_READER)
        unsealed = outbox.adopt_restored_log(SEALER, outbox.AUDIT_TRAIL)
        self.stdout.write(
            f"The event log is readable again; {waiting} events wait for the relay,"
            f" {unsealed} audit entries for their seal."
        )
