"""`manage.py rotate_encryption_keys`: a new key for stored secrets, which are then written with it.

Safe on a running portal, and to run again after it was cut off.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.encryption import EncryptionError
from core.services.encryption_keys import rotate


class Command(BaseCommand):
    help = "Add a key to the keyset of stored secrets and write every stored secret with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--resume", action="store_true", help="add no key: only write what is not yet written"
        )
        parser.add_argument(
            "--drop-old",
            action="store_true",
            help="then drop the old keys; copies of the database from before need them",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        try:
            done = rotate(
                origin=Origin(now=SystemClock().now()),
                is_new_key_wanted=not options["resume"],
                are_old_dropped=options["drop_old"],
            )
        except EncryptionError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done.rewritten} stored secrets written with the newest key.")
        if done.unreadable:
            raise CommandError(
                f"{len(done.unreadable)} cannot be read with any key:"
                f" {', '.join(done.unreadable)}. Old keys were kept. Set these secrets again."
            )
