"""`manage.py add_authenticator`: turns the second factor on for a user and prints what the app
scans.
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.services import add_authenticator
from core.domain.clock import SystemClock
from core.domain.origin import Origin


class Command(BaseCommand):
    help = "Ask this user for a code at every sign-in from now on; the secret is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", required=True)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user named {options['username']!r}.")
        device = add_authenticator(user=user, actor=None, origin=Origin(now=SystemClock().now()))
        if options["json"]:
            self.stdout.write(json.dumps({"username": user.username, "url": device.config_url}))
        else:
            self.stdout.write(f"{device.config_url}\nAdd this to an authenticator app now.")
