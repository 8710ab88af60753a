"""`python -m benchmarks.accounts`: opens the accounts under load, inside the running portal.

Reads the wanted traders as JSON and writes their API keys. Sellers buy what they will sell from a
street quote that is made for them and used up by it.
"""

import asyncio
import os
import sys
from decimal import Decimal
from pathlib import Path

import django
import msgspec

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeportal.settings.base")
django.setup()

from django.conf import settings  # noqa: E402

from accounts.domain.api_keys import Scope  # noqa: E402
from accounts.domain.roles import Role  # noqa: E402
from accounts.models import User  # noqa: E402
from accounts.services import create_api_key, create_user  # noqa: E402
from benchmarks.load.traffic import MID_CENTS  # noqa: E402
from benchmarks.portal import Key, TraderSpec  # noqa: E402
from core.domain.clock import SystemClock  # noqa: E402
from core.domain.origin import Origin  # noqa: E402
from orders.domain.commands import QuoteStreet, SubmitOrder  # noqa: E402
from orders.domain.order_request import OrderSpec  # noqa: E402
from orders.domain.values import OrderType, Side, TimeInForce  # noqa: E402
from orders.engine.client import AsyncEngineClient  # noqa: E402
from orders.services.asking import accept  # noqa: E402
from orders.services.money import open_account  # noqa: E402
from orders.services.ordering import submit_command  # noqa: E402
from portfolio.models import TradingAccount  # noqa: E402

CASH = Decimal(1_000_000_000)
QUANTITY = Decimal(50_000_000)
PRICE = Decimal(MID_CENTS) / 100
RATE_PER_MINUTE = 60_000_000


def main() -> None:
    specs = msgspec.json.decode(sys.stdin.buffer.read(), type=list[TraderSpec])
    first = User.objects.count()  # several benchmarks may share a portal: names go on
    keys = [_make_trader(spec, f"bench-{first + number}") for number, spec in enumerate(specs)]
    sys.stdout.buffer.write(msgspec.json.encode(keys) + b"\n")


def _make_trader(spec: TraderSpec, username: str) -> Key:
    user, _ = open_trader(spec, username)
    key, secret = create_api_key(
        user=user,
        scopes=[Scope.TRADE, Scope.READ],
        rate_limit_per_minute=RATE_PER_MINUTE,
        origin=Origin(now=SystemClock().now(), request_id=username),
    )
    return Key(key.key_id, secret)


def open_trader(spec: TraderSpec, username: str) -> tuple[User, TradingAccount]:
    """A new person with an account that can buy, or sell, as much as a benchmark asks for."""
    origin = Origin(now=SystemClock().now(), request_id=username)
    user = create_user(username=username, role=Role.TRADER, origin=origin).user
    account = open_account(owner=user, name="Benchmark", cash=CASH, actor=None, origin=origin)
    if spec.side == "sell":
        _buy_from_street(spec.symbol, account, user)
    return user, account


def _buy_from_street(symbol: str, account: TradingAccount, user: User) -> None:
    spec = OrderSpec(
        symbol=symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        quantity=QUANTITY,
        limit_price=PRICE,
    )
    order = submit_command(
        account_id=account.pk, spec=spec, submitted_by_id=user.pk, request_id="benchmark"
    )
    asyncio.run(_offer_and_take(QuoteStreet(symbol, [], [(PRICE, QUANTITY)]), order))


async def _offer_and_take(offer: QuoteStreet, order: SubmitOrder) -> None:
    """Both on one connection, so that the engine sees the offer first."""
    client = AsyncEngineClient(Path(settings.ENGINE_SOCKET), settings.ENGINE_REPLY_TIMEOUT_SECONDS)
    await client.tell(offer)
    accept(await client.request(order))
    await client.close()


if __name__ == "__main__":
    main()
