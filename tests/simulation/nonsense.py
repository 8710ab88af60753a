"""Orders that make no sense, for the random histories."""

import random
from decimal import Decimal

from orders.domain import commands
from orders.domain.values import OrderType

SECOND_NS = 10**9


def spoiled(order: commands.SubmitOrder, now_ns: int, draw: random.Random) -> commands.SubmitOrder:
    """The order with something wrong."""
    fields = {name: getattr(order, name) for name in order.__struct_fields__}
    spoilings: tuple[dict[str, object], ...] = (
        {"symbol": "NONE"},
        {"account_id": 99},
        {"account_id": 1},
        {"quantity": Decimal(0)},
        {"quantity": Decimal(200_000_000) * 3},
        {"quantity": order.quantity + Decimal("0.00000001")},
        {"limit_price": Decimal("0.000000001")},
        {"limit_price": Decimal(10_000_001)},
        {"limit_price": None, "type": OrderType.LIMIT},
        {"limit_price": Decimal(20), "type": OrderType.MARKET},
        {"limit_price": Decimal(20), "stop_price": Decimal(20), "type": OrderType.STOP},
        {"stop_price": None, "type": OrderType.STOP, "limit_price": None},
        {"stop_price": Decimal(20)},
        {"stop_price": Decimal(0)},
        {"expires_ns": None},
        {"expires_ns": now_ns},
        {"expires_ns": now_ns + 401 * 86_400 * SECOND_NS},
        {"stop_price": Decimal("0.000000001")},
        {"quantity": Decimal(99_999_999), "limit_price": Decimal(9_000)},
    )
    return commands.SubmitOrder(**{**fields, **draw.choice(spoilings)})
