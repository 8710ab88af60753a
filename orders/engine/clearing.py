"""The trading states of scopes in the engine's memory, and what their switches still cancel."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from orders.domain.reasons import CloseReason
from risk.domain.scopes import Scope
from risk.domain.states import ScopeState


class Clearing(NamedTuple):
    """The open orders that a switch cancels, those that are left (docs/risk.md W2)."""

    scope: Scope
    reason: CloseReason
    orders: deque[UUID]


@dataclass(slots=True)
class TradingStates:
    """Each scope's state since its last switch, and how many of them are not ACTIVE."""

    by_scope: dict[Scope, ScopeState] = field(default_factory=dict)
    restricted: int = 0
    clearing: deque[Clearing] = field(default_factory=deque)
