"""The words of order groups (docs/order-groups.md): classes, the part an order has in its group,
and what a command says of the orders that go with it.
"""

from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from core.domain.ids import derived_id
from core.domain.words import Word
from orders.domain.command_parts import check_number


class OrderClass(Word):
    SIMPLE = "SIMPLE"
    BRACKET = "BRACKET"
    OCO = "OCO"
    OTO = "OTO"


class Leg(Word):
    """The part of an order in its group."""

    ENTRY = "ENTRY"
    TAKE_PROFIT = "TAKE_PROFIT"
    STOP_LOSS = "STOP_LOSS"


FIRST_LEG: Final = {
    OrderClass.BRACKET: Leg.ENTRY,
    OrderClass.OTO: Leg.ENTRY,
    OrderClass.OCO: Leg.TAKE_PROFIT,
}
"""Which part the order has that the command itself describes."""

_LEG_NUMBERS: Final = {Leg.TAKE_PROFIT: 1, Leg.STOP_LOSS: 2}


class GroupTerms(msgspec.Struct, frozen=True, array_like=True):
    """What goes with an order: the limit of a take profit, the stop of a stop loss and, for a
    stop-limit, its limit. An OCO's take profit is the order itself.
    """

    order_class: OrderClass
    take_profit: Decimal | None = None
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None

    def __post_init__(self) -> None:
        for price in (self.take_profit, self.stop_price, self.stop_limit_price):
            if price is not None:
                check_number(price)

    @property
    def has_right_legs(self) -> bool:
        """Whether the class has these legs: both, or for an OTO one of them (N1)."""
        has_profit, has_loss = self.take_profit is not None, self.stop_price is not None
        if self.stop_limit_price is not None and not has_loss:
            return False
        if self.order_class is OrderClass.BRACKET:
            return has_profit and has_loss
        if self.order_class is OrderClass.OTO:
            return has_profit != has_loss
        return self.order_class is OrderClass.OCO and has_loss and not has_profit


def leg_id(order_id: UUID, leg: Leg) -> UUID:
    """The id of the leg that comes with this order: no randomness in the engine."""
    return derived_id(order_id, _LEG_NUMBERS[leg])
