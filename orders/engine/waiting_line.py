"""What has come and waits to be carried out, oldest first: between the engine's socket and its
batches.

A quote that nobody asked the outcome of gives way to the next of its instrument, so that a
database which hangs leaves no backlog of prices that are gone. All of this is decided before a
command becomes part of a batch: what is carried out is what the journal has.
"""

from typing import Final

from core.domain.clock import NANOSECONDS_PER_SECOND
from orders.domain.commands import AnyCommand, PrintStreetTrade, QuoteStreet
from orders.engine.batches import Waiting, weight_of
from orders.engine.protocol import NO_REPLY

MAX_STREET_WAIT_NS: Final = 2 * NANOSECONDS_PER_SECOND
"""How old what the street told may have grown when others need its place in a full line; well below
the age at which the engine would not take it any more (S3).
"""

LOOK_NS: Final = NANOSECONDS_PER_SECOND
"""How often a full line is looked through, whoever knocks."""

_STREET: Final = frozenset({QuoteStreet, PrintStreetTrade})


class WaitingLine:
    """`weight` is how much waits."""

    def __init__(self) -> None:
        self.weight = 0
        self._waiting: list[Waiting] = []
        self._gone = 0
        """How many have left at the front: with it a place in the line stays the same number."""
        self._quotes: dict[str, int] = {}
        """The place of the newest quote by symbol, while no print of it has come after."""
        self._looked_ns = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> AnyCommand:
        """IndexError when nothing waits."""
        return self._waiting[0].command

    def replace(self, waiting: Waiting) -> bool:
        """Put a quote in the place of the one of its instrument that waits. False, and nothing
        done, when there is none or a print came in between: that one is judged by the quote before
        it (E2).
        """
        command = waiting.command
        if type(command) is not QuoteStreet or waiting.request_id != NO_REPLY:
            return False
        place = self._quotes.get(command.symbol, -1) - self._gone
        if place < 0:
            return False
        self._waiting[place] = waiting
        return True

    def put(self, waiting: Waiting) -> None:
        """Last in the line."""
        command = waiting.command
        if isinstance(command, (QuoteStreet, PrintStreetTrade)):
            if type(command) is QuoteStreet and waiting.request_id == NO_REPLY:
                self._quotes[command.symbol] = self._gone + len(self._waiting)
            else:
                self._quotes.pop(command.symbol, None)
        self._waiting.append(waiting)
        self.weight += weight_of(command)

    def take(self, room: int) -> list[Waiting]:
        """The oldest, as much as weighs no more than `room`."""
        weight = 0
        taken: list[Waiting] = []
        for waiting in self._waiting:
            if weight + weight_of(waiting.command) > room:
                break
            weight += weight_of(waiting.command)
            taken.append(waiting)
        del self._waiting[: len(taken)]
        self._gone += len(taken)
        self.weight -= weight
        return taken

    def forget_street(self, now_ns: int) -> int:
        """Make room: leave out what the street told long ago. How many there were."""
        if now_ns - self._looked_ns < LOOK_NS:
            return 0
        self._looked_ns = now_ns
        oldest_ns = now_ns - MAX_STREET_WAIT_NS
        kept = [item for item in self._waiting if not _is_street_before(item, oldest_ns)]
        forgotten = len(self._waiting) - len(kept)
        if forgotten:
            self._waiting = kept
            self.weight -= forgotten
            self._quotes.clear()
        return forgotten


def _is_street_before(waiting: Waiting, oldest_ns: int) -> bool:
    return (
        waiting.received_ns < oldest_ns
        and waiting.request_id == NO_REPLY
        and type(waiting.command) in _STREET
    )
