"""What most orders have nothing of: of a plain order less is written, and less is told.

orders/engine/store.py and orders/engine/render.py leave out what is the same in all plain orders.
"""

from collections.abc import Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from orders.domain.order_class import OrderClass
from orders.engine.state import OrderState

USUAL: Final[Mapping[str, object]] = MappingProxyType(
    {
        "trail_price": None,
        "trail_ppm": None,
        "strategy": None,
        "margin_percent": 100,
        "session_id": None,
        "notional": None,
        "display": 0,
        "post_only": False,
        "reduce_only": False,
        "forced": "",
        "replaces": None,
        "group_id": None,
        "leg": None,
        "order_class": OrderClass.SIMPLE,
        "prevented": 0,
        "stop_price": None,
        "hwm": None,
        "displayed": 0,
        "replaced_by": None,
    }
)
"""What a plain order has, by attribute. An order that has anything else keeps something of it: what
is plain now has been it all the time.
"""
_unusual = attrgetter(*USUAL)
_usual_values = tuple(USUAL.values())


def is_plain(order: OrderState) -> bool:
    """Whether the order has only what most orders have."""
    return _unusual(order) == _usual_values
