"""A depth topic inside the hub: whole states come from the engine, changes go to the sockets.

The changes are found once per topic and process, and each names the state that it starts from, so
that a reader notices when it has another one.
"""

from collections.abc import Sequence

import msgspec

from marketdata.domain.ladders import (
    MOST_LEVELS,
    DeltaData,
    LadderData,
    changes_between,
    checksum,
    merged,
)
from marketdata.hub.messages import Message, event_message, snapshot_message
from marketdata.hub.snapshots import Snapshot

_ladders = msgspec.json.Decoder(LadderData)
_deltas = msgspec.json.Decoder(DeltaData)


class DepthChain:
    """The state that the next change starts from, if there is one yet."""

    def __init__(self) -> None:
        self._state: Message | None = None
        self._ladder = LadderData([], [], "")

    def forget(self) -> None:
        """What comes next may not follow what came before."""
        self._state = None

    def take(self, state: Message) -> Message | None:
        """The change that leads to `state`; None when it begins a new chain."""
        before, ladder = self._state, self._ladder
        self._state, self._ladder = state, _ladders.decode(state.data)
        if before is None or before.epoch != state.epoch:
            return None
        new = self._ladder
        changes = changes_between(ladder, new)
        delta = DeltaData(before.seq, changes, checksum(new.bids, new.asks), new.t)
        return _delta_message(state.topic, state.epoch, state.seq, delta)

    def snapshot(self, topic: str, stored: Snapshot) -> Message:
        """What the next change starts from: the state that was heard last, else the stored one."""
        if self._state is None:
            if stored.data is None:
                return snapshot_message(topic, stored.epoch, stored.seq, None)
            raw = msgspec.json.encode(stored.data)
            self.take(event_message(topic, stored.epoch, stored.seq, raw))
        state, ladder = self._state, self._ladder
        assert state is not None
        data = {
            "bids": ladder.bids,
            "asks": ladder.asks,
            "levels": MOST_LEVELS,
            "checksum": checksum(ladder.bids, ladder.asks),
            "t": ladder.t,
        }
        return snapshot_message(topic, state.epoch, state.seq, data)


def merged_deltas(deltas: Sequence[Message]) -> Message:
    """Changes that follow each other, as one."""
    delta = merged([_deltas.decode(message.data) for message in deltas])
    last = deltas[-1]
    return _delta_message(last.topic, last.epoch, last.seq, delta)


def _delta_message(topic: str, epoch: str, seq: int, delta: DeltaData) -> Message:
    message = event_message(topic, epoch, seq, msgspec.json.encode(delta))
    message.base = delta.base
    return message
