"""`manage.py create_user`: a user with a role and, for who needs one, a trading account with
starting cash.

It stands in the composition root because a user is made by accounts and a trading account by
orders.
"""

import json
import sys
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.domain.roles import Role
from accounts.models import User
from accounts.selectors import may_trade
from accounts.services import create_user
from core.domain.clock import SystemClock
from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import Refusal
from core.domain.origin import Origin
from orders.services.money import open_account


class Command(BaseCommand):
    help = "Make a user; without --password-stdin a random password is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", required=True)
        parser.add_argument(
            "--role", default=Role.TRADER.value, choices=[role.value for role in Role]
        )
        parser.add_argument("--cash", help="starting cash; opens a trading account for any role")
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from stdin"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        cash = _cash(options["cash"])
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        origin = Origin(now=SystemClock().now(), request_id=uuid4().hex)
        try:
            made = create_user(
                username=options["username"],
                email=options["email"],
                role=Role(options["role"]),
                password=password,
                origin=origin,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        shown: dict[str, str | None] = {
            "username": made.user.username,
            "password": made.generated_password,
            "role": options["role"],
            "account_id": None,
        }
        try:
            shown["account_id"] = _open_account(made.user, cash, origin)
        except Refusal as refusal:
            # The user exists, and the password is shown only now.
            raise CommandError(f"The user was made, but its account: {refusal}") from refusal
        finally:
            self._show(shown, as_json=options["json"])

    def _show(self, result: dict[str, str | None], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result))
            return
        for name, value in result.items():
            if value is not None:
                note = "   (shown only now)" if name == "password" else ""
                self.stdout.write(f"{name:<12}{value}{note}")


def _cash(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        cash = parse_decimal(text)
    except DecimalSyntaxError as error:
        raise CommandError(f"--cash {error}.") from error
    if cash < 0:
        raise CommandError("--cash must not be negative.")
    return cash


def _open_account(user: User, cash: Decimal | None, origin: Origin) -> str | None:
    """Who may trade needs an account; anyone else gets one only when cash was asked for."""
    if cash is None and not may_trade(user):
        return None
    account = open_account(
        owner=user, name="Main", cash=cash or Decimal(0), actor=None, origin=origin
    )
    return str(account.public_id)
