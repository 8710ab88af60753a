"""What a transport is given to carry, and what it may answer. Transports know nothing else."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """`reference` is the same each time a delivery is tried, so that a duplicate can be
    recognised.
    """

    reference: str
    address: str
    subject: str
    text: str


class TransportError(Exception):
    """The message was not taken. `is_permanent`: no later attempt would change that."""

    def __init__(self, message: str, *, is_permanent: bool = False) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent


class Transport(Protocol):
    def send(self, message: OutgoingMessage) -> None:
        """Hand the message over, within a bounded time; TransportError when it was not taken."""
