"""`python -m benchmarks.resting COUNT`: places so many orders that rest, inside the running portal.

In each instrument a buyer and a seller of its own, a dollar and more from where the load trades, so
that they meet nothing. They go to the engine itself, in batches such as the API has.
"""

import asyncio
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeportal.settings.base")
django.setup()

from django.conf import settings  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks.accounts import open_trader  # noqa: E402
from benchmarks.load.traffic import MID_CENTS  # noqa: E402
from benchmarks.options import SYMBOLS  # noqa: E402
from benchmarks.portal import TraderSpec  # noqa: E402
from orders.domain.command_parts import MAX_BATCH_ORDERS  # noqa: E402
from orders.domain.commands import OrderBatch, SubmitOrder  # noqa: E402
from orders.domain.order_request import OrderSpec  # noqa: E402
from orders.domain.replies import BatchReply, OrderReply  # noqa: E402
from orders.domain.values import OrderType, Side, TimeInForce  # noqa: E402
from orders.engine.client import AsyncEngineClient  # noqa: E402
from orders.services.asking import accept  # noqa: E402
from orders.services.ordering import submit_command  # noqa: E402

AWAY_CENTS = range(150, 650)
REPLY_SECONDS = 60


class Trading(NamedTuple):
    """Who places orders in an instrument, and of which side."""

    symbol: str
    side: Side
    account_id: int
    user_id: int


def main(count: int) -> None:
    first = User.objects.count()
    traders = []
    for number, symbol in enumerate(SYMBOLS):
        for side in Side:
            spec = TraderSpec(symbol, side.value.lower())
            user, account = open_trader(spec, f"rest-{first}-{number}-{spec.side}")
            traders.append(Trading(symbol, side, account.pk, user.pk))
    asyncio.run(_place(traders, count))


async def _place(traders: list[Trading], count: int) -> None:
    client = AsyncEngineClient(Path(settings.ENGINE_SOCKET), REPLY_SECONDS)
    for start in range(0, count, MAX_BATCH_ORDERS):
        numbers = range(start, min(start + MAX_BATCH_ORDERS, count))
        orders = [_order(number, traders[number % len(traders)]) for number in numbers]
        reply = accept(await client.request(OrderBatch(orders)))
        assert isinstance(reply, BatchReply)
        refused = [each for each in reply.replies if not isinstance(each, OrderReply)]
        if refused:
            raise SystemExit(f"{len(refused)} orders were refused, such as {refused[0]}")
    await client.close()


def _order(number: int, trader: Trading) -> SubmitOrder:
    away = AWAY_CENTS[number % len(AWAY_CENTS)] * (-1 if trader.side is Side.BUY else 1)
    spec = OrderSpec(
        symbol=trader.symbol,
        side=trader.side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Decimal(1 + number % 10),
        limit_price=Decimal(MID_CENTS + away) / 100,
        client_order_id=f"rest-{number}",
    )
    return submit_command(
        account_id=trader.account_id,
        spec=spec,
        submitted_by_id=trader.user_id,
        request_id=f"rest-{number}",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
