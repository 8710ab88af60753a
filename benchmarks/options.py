"""How long and how often to measure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    seconds: int
    rounds: int
    connections: int
    sockets: int
    messages: int
    orders: int
    open_orders: int
    offered: int = 500
    """Requests a second where the time to an acknowledgement is measured on a long history."""


SYMBOLS = ("AAPL", "FB", "GOOG", "IBM")
"""Orders go to four instruments, each with a buyer and a seller of its own: the row locks of the
usual design then leave it room to work in parallel.
"""
