"""The limits of the whole firm that an operator is advised to begin with (docs/risk.md M16).

Far beyond what the demo's people and an ordinary desk send, near enough to stop a slipped digit and
a program that has run wild. They are set by one press, not by the first start: M16 says why.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from risk.domain.limit_tree import LimitKind


class Recommended(NamedTuple):
    """A limit's value and, of a rate, its window."""

    value: Decimal
    window_seconds: int = 0


RECOMMENDED: Final = {
    LimitKind.ORDER_QUANTITY: Recommended(Decimal(10_000_000)),
    LimitKind.ORDER_VALUE: Recommended(Decimal(1_000_000)),
    LimitKind.OPEN_ORDERS: Recommended(Decimal(200_000)),
    LimitKind.PRICE_COLLAR: Recommended(Decimal(1_000)),
    LimitKind.ORDER_RATE: Recommended(Decimal(20_000), window_seconds=1),
    LimitKind.REPEATED_ORDERS: Recommended(Decimal(500), window_seconds=10),
}
