"""Random order groups for the histories of the market swarm, a pure function of the seed.

Draws from a source of its own, so that a history without groups is what it would be without this.
"""

import random
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import msgspec

from orders.domain import commands
from orders.domain.order_class import GroupTerms, Leg, OrderClass, leg_id
from orders.domain.values import OrderType, Side, TimeInForce
from tests.simulation.plan_swarm import LIMITED

Price = Callable[[random.Random], Decimal]


class GroupSwarm:
    """One seed's groups: how many orders become one, and what is asked of their legs."""

    def __init__(self, seed: int) -> None:
        draw = self._random = random.Random(f"brackets {seed}")
        self._share = draw.choice((0.0, 0.0, 0.5) if seed <= LIMITED else (0.1, 0.3))
        self._leg_share = draw.choice((0.03, 0.15)) if self._share else 0.0
        self._nonsense_share = draw.choice((0.0, 0.1))
        self._placed: list[commands.SubmitOrder] = []

    def grouped(self, order: commands.SubmitOrder, price: Price) -> commands.SubmitOrder:
        """The same order, now and then with legs; mostly such as can be accepted."""
        draw = self._random
        is_offered = order.symbol == "AAPL" or draw.random() < self._nonsense_share
        if not is_offered or draw.random() >= self._share:
            return order
        kind = draw.choice((OrderClass.OCO, OrderClass.OTO, OrderClass.BRACKET))
        if draw.random() >= self._nonsense_share:
            order = self._fitting(order, kind, price)
        is_sell = (order.side is Side.SELL) == (kind is OrderClass.OCO)
        near = sorted((price(draw), price(draw), price(draw)), reverse=not is_sell)
        stop_limit, stop, goal = near
        if order.limit_price is not None and kind is not OrderClass.OCO:
            order = msgspec.structs.replace(order, limit_price=near[1])
            stop, stop_limit = near[0], near[0]
        if kind is OrderClass.OCO and order.limit_price is not None:
            order = msgspec.structs.replace(order, limit_price=goal)
        legs = draw.choice(("both", "profit", "loss")) if kind is OrderClass.OTO else "both"
        if draw.random() < self._nonsense_share:
            legs, stop = draw.choice(("both", "profit", "loss", "none")), price(draw)
        has_profit = legs in ("both", "profit") and kind is not OrderClass.OCO
        has_loss = legs in ("both", "loss")
        if kind is OrderClass.OTO and legs == "both":
            has_loss = False
        terms = GroupTerms(
            kind,
            goal if has_profit else None,
            stop if has_loss else None,
            stop_limit if has_loss and draw.random() < 0.4 else None,
        )
        grouped = msgspec.structs.replace(order, group=terms)
        self._placed.append(grouped)
        return grouped

    def _fitting(
        self, order: commands.SubmitOrder, kind: OrderClass, price: Price
    ) -> commands.SubmitOrder:
        draw = self._random
        is_oco = kind is OrderClass.OCO
        changes: dict[str, object] = {
            "time_in_force": draw.choice((TimeInForce.DAY, TimeInForce.GTC)),
            "expires_ns": None,
            "post_only": False,
            "reduce_only": False,
        }
        if draw.random() < 0.9:
            changes["side"] = Side.SELL if is_oco else Side.BUY
        if is_oco:
            limit = order.limit_price or price(draw)
            changes |= {"type": OrderType.LIMIT, "limit_price": limit, "stop_price": None}
        return msgspec.structs.replace(order, **changes)

    def ask(self, price: Price, next_id: Callable[[], UUID]) -> commands.AnyCommand | None:
        """Something for a leg, now and then: a cancel, another price, an amend."""
        draw = self._random
        if not self._placed or draw.random() >= self._leg_share:
            return None
        order = draw.choice(self._placed[-5:])
        leg = draw.choice((Leg.TAKE_PROFIT, Leg.STOP_LOSS))
        key = leg_id(order.order_id, leg) if draw.random() < 0.7 else order.order_id
        price_of_leg = "limit" if leg is Leg.TAKE_PROFIT else "stop"
        kind = draw.choice(("cancel", *(price_of_leg,) * 4, "limit", "quantity", "amend"))
        if kind == "cancel":
            return commands.CancelOrder(key, order.account_id, "r")
        if kind == "amend":
            return commands.AmendOrder(key, order.account_id, order.quantity / 2, "r")
        return commands.ReplaceOrder(
            order_id=next_id(),
            replaces=key,
            account_id=order.account_id,
            client_order_id="",
            submitted_by_id=1,
            request_id="r",
            quantity=order.quantity if kind == "quantity" else None,
            limit_price=price(draw) if kind == "limit" else None,
            stop_price=price(draw) if kind == "stop" else None,
        )
