"""In which state an instrument's market is: who may place orders, and what trades.

The rules, X1 on, stand in docs/market-states.md. The engine decides and stores the state.
"""

from enum import StrEnum


class MarketState(StrEnum):
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


STORED_STATES = tuple(state for state in MarketState if state is not MarketState.CLOSED)
"""CLOSED is what the calendar says (K3); under it lies the state that is stored."""
