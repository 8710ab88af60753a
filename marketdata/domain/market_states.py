"""In which state an instrument's market is: who may place orders, and what trades.

The rules, X1 on, stand in docs/market-states.md. The engine decides and stores the state.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from core.domain.words import Word


class MarketState(Word):
    OPEN = "OPEN"
    HALTED = "HALTED"
    CANCEL_ONLY = "CANCEL_ONLY"
    POST_ONLY = "POST_ONLY"
    AUCTION = "AUCTION"
    CLOSED = "CLOSED"

    @property
    def takes_orders(self) -> bool:
        """Whether a new order may be accepted at all."""
        return self in {MarketState.OPEN, MarketState.POST_ONLY, MarketState.AUCTION}


class Pause(NamedTuple):
    """A market that halted by itself is in `state` until then (V6)."""

    state: MarketState
    until_ns: int


STORED_STATES = tuple(state for state in MarketState if state is not MarketState.CLOSED)
"""CLOSED is what the calendar says (K3); under it lies the state that is stored."""

_STRICTNESS: Final = (
    MarketState.OPEN,
    MarketState.POST_ONLY,
    MarketState.CANCEL_ONLY,
    MarketState.AUCTION,
    MarketState.HALTED,
)
_NO_ORDERS_NO_TRADES: Final = {MarketState.CANCEL_ONLY, MarketState.AUCTION}


def joined(states: Iterable[MarketState]) -> MarketState:
    """The state in which nothing happens that one of these keeps from happening (X10)."""
    found = set(states)
    if found >= _NO_ORDERS_NO_TRADES:  # one takes no orders, in the other nothing trades
        return MarketState.HALTED
    return max(found, key=_STRICTNESS.index)
