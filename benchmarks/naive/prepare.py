"""`python -m benchmarks.naive.prepare SPEC`: tables, instruments and accounts of the yardstick.

SPEC is JSON: a list of [symbol, side]. Prints their tokens as a JSON list in the same order.
"""

import json
import os
import sys
from decimal import Decimal

import django
from django.core.management import call_command

CASH = Decimal(1_000_000_000)
QUANTITY = Decimal(50_000_000)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.naive.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    tokens = [_open_account(symbol, side) for symbol, side in json.loads(sys.argv[1])]
    sys.stdout.write(json.dumps(tokens) + "\n")


def _open_account(symbol: str, side: str) -> str:
    # The models can be imported only after django.setup().
    from django.contrib.auth.models import User  # noqa: PLC0415
    from rest_framework.authtoken.models import Token  # noqa: PLC0415

    from benchmarks.naive.models import Account, Instrument, Position  # noqa: PLC0415

    instrument, _ = Instrument.objects.get_or_create(
        symbol=symbol, defaults={"tick_size": Decimal("0.01")}
    )
    user = User.objects.create(username=f"{side}-{symbol}")
    account = Account.objects.create(user=user, cash=CASH)
    if side == "sell":
        Position.objects.create(account=account, instrument=instrument, quantity=QUANTITY)
    return str(Token.objects.create(user=user).key)


if __name__ == "__main__":
    main()
