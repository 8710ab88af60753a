"""`manage.py seed_demo`: roles, the simulated market, and on an empty portal the first two people.

`./portal up` runs it at every start, so it changes nothing that exists. Passwords are random and
printed once; there is no default password anywhere.
"""

import json
import secrets
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.domain.roles import Role
from accounts.models import User
from accounts.services import create_user, sync_roles
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from marketdata.services import seed_market, seed_replay
from orders.services.money import open_account
from orders.services.sessions import fill_sessions
from portfolio.models import TradingAccount

DEMO_USERNAME = "demo"
ADMIN_USERNAME = "admin"
DEMO_CASH = Decimal(100_000)
MAIL_DOMAIN = "portal.invalid"
"""Who has no address is sent no mail, and the demo's first fill is to show one. `.invalid` is
nobody's (RFC 2606): a portal with a mail server writes to no stranger.
"""


class Command(BaseCommand):
    help = "Seed roles and the market; on an empty portal also a demo trader and an administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        origin = Origin(now=SystemClock().now(), request_id=uuid4().hex)
        sync_roles()
        seed_market(now=origin.now)
        if settings.MARKET == "replay" and settings.REPLAY_FOLDER:
            _seed_replay(settings.REPLAY_FOLDER)
        fill_sessions(now=origin.now, request_id=origin.request_id)
        admin_password = None
        if not User.objects.exists():
            admin_password = _make(ADMIN_USERNAME, Role.ADMIN, origin)
            _make(DEMO_USERNAME, Role.TRADER, origin)
        demo_password = _finish_demo(origin)
        self._show(
            {
                "created": demo_password is not None,
                "username": DEMO_USERNAME,
                "password": demo_password,
                "admin_username": ADMIN_USERNAME,
                "admin_password": admin_password,
            },
            as_json=options["json"],
        )

    def _show(self, result: dict[str, object], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result))
        elif not result["created"]:
            self.stdout.write("The portal is seeded already; nothing was changed.")
        else:
            self.stdout.write(f"demo trader   {DEMO_USERNAME}  {result['password']}")
            self.stdout.write(f"administrator {ADMIN_USERNAME}  {result['admin_password']}")
            self.stdout.write("These passwords are shown only now.")


def _seed_replay(folder: str) -> None:
    try:
        seed_replay(folder=folder)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error


def _make(username: str, role: Role, origin: Origin) -> str | None:
    address = f"{username}@{MAIL_DOMAIN}"
    made = create_user(username=username, email=address, role=role, origin=origin)
    return made.generated_password


def _finish_demo(origin: Origin) -> str | None:
    """Give the demo trader its account; the new password, or None when it had one before.

    A start that was cut off between user and account is finished by the next: the password that
    nobody saw is replaced.
    """
    demo = User.objects.filter(username=DEMO_USERNAME).first()
    if demo is None or TradingAccount.objects.filter(owner=demo).exists():
        return None
    open_account(owner=demo, name="Main", cash=DEMO_CASH, actor=None, origin=origin)
    password = secrets.token_urlsafe(18)
    demo.set_password(password)
    demo.save(update_fields=["password"])
    return password
