"""`manage.py create_api_key`: makes a key for a user and prints its secret, the only time it can be
seen.
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.selectors import may_manage_risk, may_trade
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin


class Command(BaseCommand):
    help = "Make an API key; its secret is printed once and never again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", required=True)
        parser.add_argument(
            "--scopes",
            help=f"comma-separated: {','.join(Scope)}; default: all the user's roles allow",
        )
        parser.add_argument("--rate-limit", type=int, default=200, help="requests a minute")
        parser.add_argument("--name", default="", help="a note to recognize the key by")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user named {options['username']!r}.")
        try:
            key, secret = create_api_key(
                user=user,
                scopes=_scopes(options["scopes"], user),
                name=options["name"],
                rate_limit_per_minute=options["rate_limit"],
                origin=Origin(now=SystemClock().now()),
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"key_id": key.key_id, "secret": secret}))
        else:
            self.stdout.write(f"key id  {key.key_id}\nsecret  {secret}   (shown only now)")


def _scopes(text: str | None, user: User) -> list[Scope]:
    if text is None:
        allowed = {Scope.TRADE: may_trade(user), Scope.RISK: may_manage_risk(user)}
        return [scope for scope in Scope if allowed.get(scope, True)]
    try:
        return [Scope(word.strip()) for word in text.split(",") if word.strip()]
    except ValueError as error:
        raise CommandError(f"{error}; scopes are {', '.join(Scope)}.") from error
