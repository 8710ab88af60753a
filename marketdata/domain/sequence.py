"""The numbering of a live stream: what a message's (epoch, seq) means after the last one seen."""

from enum import Enum, auto


class Step(Enum):
    NEXT = auto()
    """The message follows the last one: use it."""
    OLD = auto()
    """Seen already: drop it."""
    GAP = auto()
    """Messages are missing, or the publisher started anew: of a log stream, fetch a snapshot."""


class SequenceCheck:
    """Follows one numbered stream. A new epoch is a publisher that started anew, at any number."""

    def __init__(self) -> None:
        self.epoch = ""
        self.seq = 0

    def take(self, epoch: str, seq: int) -> Step:
        """What the message (epoch, seq) is; anything but OLD becomes the last one seen."""
        if epoch == self.epoch and seq <= self.seq:
            return Step.OLD
        is_next = (epoch == self.epoch and seq == self.seq + 1) or not self.epoch
        self.epoch, self.seq = epoch, seq
        return Step.NEXT if is_next else Step.GAP

    def forget(self) -> None:
        """Take the next message as the first: a snapshot will tell what came before."""
        self.epoch = ""
