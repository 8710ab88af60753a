"""`manage.py verify_audit`: does the audit trail say what it said when it was sealed?

Exit code 0: yes. 1: no, and every entry that does not is named. Safe on a running portal.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.domain.audit_chain import Head, read_head, sealing_key
from core.domain.clock import SystemClock
from core.verification.audit_trail import AuditTrailWalk


class Command(BaseCommand):
    help = "Prove that no entry of the audit trail was changed or removed; exit code 1 if one was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            metavar="POSITION:DIGEST",
            help="a head that was noted earlier: what led to it must still be there",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        keys = [sealing_key(secret) for secret in secrets]
        walk = AuditTrailWalk(keys, SystemClock().now(), _noted(options["head"]))
        count = 0
        for problem in walk.problems():
            count += 1
            self.stdout.write(problem)
        if count:
            self.stdout.write(f"{count} problems. Nothing was changed.")
            sys.exit(1)
        self.stdout.write(
            f"The audit trail is whole: {walk.entries:,} entries, {walk.sealed:,} sealed,"
            f" {walk.waiting:,} wait. Head {walk.head or 'none yet'}"
        )


def _noted(text: str | None) -> Head | None:
    head = None if text is None else read_head(text)
    if text is not None and head is None:
        raise CommandError(f"--head is POSITION:DIGEST as this command prints it, not {text!r}")
    return head
