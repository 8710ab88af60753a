"""One command's turn: the state it may change, where its effects are collected, and its time."""

from dataclasses import dataclass

from orders.engine.changes import Changes
from orders.engine.state import EngineState


@dataclass(frozen=True, slots=True)
class Step:
    """Handed through every function of the core; `now_ns` is the only clock there is."""

    state: EngineState
    changes: Changes
    now_ns: int
