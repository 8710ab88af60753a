"""How a fill changes a position: average cost, realised profit, exact integers.

Quantities in lots, money in units of 10^-8. Works for long and (the street's) short positions
alike.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class PositionState:
    """`cost` is what the open quantity was bought for; when short, both are negative.

    `openings` counts a margin account's open orders that open: buys above zero, sells below.
    """

    quantity: int = 0
    locked: int = 0
    cost: int = 0
    realized: int = 0
    openings: int = 0

    @property
    def free(self) -> int:
        return self.quantity - self.locked


def apply_fill(position: PositionState, signed_quantity: int, notional: int) -> None:
    """Change the position by a fill: `signed_quantity` > 0 bought, < 0 sold, for `notional` > 0 in
    all.

    The part that closes realises profit against the average cost; its cost is rounded toward zero
    to a whole unit and the remainder stays in the open cost, so cost plus realised profit is
    conserved to the unit. The part that opens adds to the cost.
    """
    closing = 0
    if position.quantity * signed_quantity < 0:
        closing = min(abs(position.quantity), abs(signed_quantity))
    if closing:
        closed_notional = notional * closing // abs(signed_quantity)
        closed_cost = _share(position.cost, closing, abs(position.quantity))
        proceeds = closed_notional if signed_quantity < 0 else -closed_notional
        position.realized += proceeds - closed_cost
        position.cost -= closed_cost
        notional -= closed_notional
    if abs(signed_quantity) > closing:
        position.cost += notional if signed_quantity > 0 else -notional
    position.quantity += signed_quantity


def _share(total: int, part: int, whole: int) -> int:
    """`total × part / whole`, rounded toward zero; all of it when the part is the whole."""
    share = abs(total) * part // whole
    return share if total >= 0 else -share
