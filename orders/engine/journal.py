"""Remembers what the core applied, in order and as it was received, until a batch is committed with
it: docs/journal.md.

Every command goes through `Journal.apply`. Its content is a row of orders_journal, written in the
statement that commits the batch; from the rows alone orders/engine/replaying.py does it all again.
"""

import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

from orders.domain.commands import (
    AnyCommand,
    AwaitCommit,
    ExpireOrders,
    PrintStreetTrade,
    QuoteStreet,
    WhatIf,
)
from orders.domain.market_commands import CheckMargin
from orders.domain.replies import AnyReply
from orders.engine.core import Core
from orders.engine.protocol import NO_REPLY, FrameError, decode_command, encode_frame
from orders.engine.state import Instrument
from orders.engine.stored import StoredState
from orders.engine.street_log import StreetEntry, StreetLog
from orders.engine.trading_states import MAX_CLEARED
from risk.domain.commands import EvaluateLosses, ReadUsage

RULES_VERSION: Final = 8
"""Raised whenever older journals would replay to something else: a rule that changed, or content
that is written otherwise. A replay begins at the first start that has the current one.
"""

MAX_UNCOMMITTED_BYTES: Final = 262_144
"""Content that may wait for a batch with something to commit; beyond it, it is committed alone."""

COMPRESSION: Final = 1
"""zlib's fastest: halves a batch for less than 2 µs an order."""

MIN_COMPRESSED_BYTES: Final = 512
"""A batch of one or two orders is left as it is: compressing it costs more and saves nothing."""

_IDLE: Final[frozenset[type]] = frozenset(
    {ExpireOrders, AwaitCommit, CheckMargin, EvaluateLosses, ReadUsage, WhatIf}
)
"""Kept only when they found something to do (J2)."""

_ZLIB: Final = b"\x78"
"""How compressed content begins; what is not begins with a msgpack array."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine began with, and the bounds of its core. New fields need a default: old rows do
    not have them.
    """

    rules_version: int
    max_elections: int
    state: StoredState
    max_cleared: int = MAX_CLEARED


class StartVersion(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a Start as can be read whatever its version."""

    rules_version: int


class JournalError(Exception):
    """A row's content is not what the journal writes."""


class Journal:
    """Applies commands to a core and keeps what a replay needs of them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._street = StreetLog()
        self._entries: list[tuple[int, list[bytes]]] = []  # the frames of each time
        self._bytes = 0
        self._number = 0

    @property
    def is_full(self) -> bool:
        """Whether so much waits that it should be committed even alone."""
        return self._bytes >= MAX_UNCOMMITTED_BYTES

    def apply(self, command: AnyCommand, now_ns: int, frame: bytes | None = None) -> AnyReply:
        """The core's reply. `frame` is the command as it was received, if it was."""
        kind = type(command)
        if isinstance(command, (QuoteStreet, PrintStreetTrade)):
            return self._apply_street(command, now_ns, frame)
        if kind in _IDLE:
            return self._apply_idle(command, now_ns, frame)
        reply = self._core.apply(command, now_ns)
        self._write(command, now_ns, frame)
        return reply

    def take(self) -> bytes:
        """The content for the row of the batch that is about to be committed (J1)."""
        content = _encoder.encode(self._entries)
        if len(content) >= MIN_COMPRESSED_BYTES:
            content = zlib.compress(content, COMPRESSION)
        self._entries = []
        self._bytes = 0
        return content

    def _apply_idle(self, command: AnyCommand, now_ns: int, frame: bytes | None) -> AnyReply:
        """What asks for nothing but what is due finds mostly nothing, and is not kept then (J2)."""
        core = self._core
        before = core.changes.extent
        had_more_to_do = core.is_electing or core.is_clearing
        reply = core.apply(command, now_ns)
        if had_more_to_do or core.changes.extent != before:
            self._write(command, now_ns, frame)
        return reply

    def _apply_street(
        self, command: QuoteStreet | PrintStreetTrade, now_ns: int, frame: bytes | None
    ) -> AnyReply:
        core = self._core
        instrument = core.state.instrument(command.symbol)
        before = _StreetMarks(core, instrument)
        reply = core.apply(command, now_ns)
        if core.changes.extent != before.extent or before.is_electing:
            self._write(command, now_ns, frame)  # J5
        elif instrument is not None:
            self._note(command, instrument, before, (now_ns, frame))
        return reply

    def _note(
        self,
        command: QuoteStreet | PrintStreetTrade,
        instrument: Instrument,
        before: "_StreetMarks",
        received: tuple[int, bytes | None],
    ) -> None:
        """Let a street command wait that nothing but later commands can tell of."""
        now_ns, frame = received
        book = instrument.book
        has_moved_ahead = book.ahead_moves != before.ahead_moves
        is_quote = book.quotes_taken != before.quotes_taken
        is_last_trade = instrument.last_trade is not before.last_trade
        if not (has_moved_ahead or is_quote or is_last_trade):
            return
        self._number += 1
        frame = frame or encode_frame(NO_REPLY, command)
        entry = StreetEntry(self._number, now_ns, frame, is_quote, has_moved_ahead)
        if is_quote:
            self._street.add_quote(instrument.id, entry)
        else:
            self._street.add_print(instrument.id, entry, is_last_trade=is_last_trade)
        if self._street.is_full:
            self._write_street()

    def _write(self, command: AnyCommand, now_ns: int, frame: bytes | None) -> None:
        """Keep a command, and before it what it may have read of the street (J6)."""
        if self._street:
            self._write_street()
        self._append(now_ns, frame or encode_frame(NO_REPLY, command))

    def _write_street(self) -> None:
        for entry in self._street.take():
            self._append(entry.now_ns, entry.frame)

    def _append(self, now_ns: int, frame: bytes) -> None:
        if self._entries and self._entries[-1][0] == now_ns:
            self._entries[-1][1].append(frame)
        else:
            self._entries.append((now_ns, [frame]))
        self._bytes += len(frame)


class _StreetMarks:
    """What tells afterwards whether a street command did anything."""

    __slots__ = ("ahead_moves", "extent", "is_electing", "last_trade", "quotes_taken")

    def __init__(self, core: Core, instrument: Instrument | None) -> None:
        self.extent = core.changes.extent
        self.is_electing = core.is_electing
        if instrument is not None:
            self.ahead_moves = instrument.book.ahead_moves
            self.quotes_taken = instrument.book.quotes_taken
            self.last_trade = instrument.last_trade


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[tuple[int, list[bytes]]])
_start_decoder = msgspec.json.Decoder(Start)
_version_decoder = msgspec.json.Decoder(StartVersion)


def start_content(start: Start) -> bytes:
    """A START row's content. JSON, because sums of money may outgrow msgpack's 64 bits."""
    return zlib.compress(msgspec.json.encode(start), COMPRESSION)


def read_start(content: bytes) -> Start:
    """JournalError when it is none of this RULES_VERSION."""
    try:
        return _start_decoder.decode(zlib.decompress(content))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise JournalError(str(error)) from error


def read_rules_version(content: bytes) -> int:
    try:
        return _version_decoder.decode(zlib.decompress(content)).rules_version
    except (zlib.error, msgspec.MsgspecError) as error:
        raise JournalError(str(error)) from error


def read_batch(content: bytes) -> Iterator[tuple[int, AnyCommand]]:
    """The commands of a BATCH row, each with its time; JournalError when they cannot be read."""
    try:
        if content.startswith(_ZLIB):
            content = zlib.decompress(content)
        for now_ns, frames in _decoder.decode(content):
            for frame in frames:
                yield now_ns, decode_command(frame)[1]
    except (zlib.error, msgspec.MsgspecError, FrameError) as error:
        raise JournalError(str(error)) from error
