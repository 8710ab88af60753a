"""Which prices lie inside a volatility band: V3 of docs/market-states.md. Pure; prices in ticks."""

from typing import NamedTuple

from orders.domain.matching.collar import BPS
from orders.domain.values import Side


class Edges(NamedTuple):
    """The lowest and the highest price at which a trade may happen."""

    lowest: int
    highest: int

    def holds(self, price: int) -> bool:
        return self.lowest <= price <= self.highest

    def bound(self, side: Side, limit: int | None) -> int:
        """How far an order of `side` with this limit may go."""
        edge = self.highest if side is Side.BUY else self.lowest
        if limit is None:
            return edge
        return min(limit, edge) if side is Side.BUY else max(limit, edge)


def edges_around(reference: int, band_bps: int) -> Edges:
    """The band around a reference price."""
    return Edges(-(reference * (band_bps - BPS) // BPS), reference * (BPS + band_bps) // BPS)
