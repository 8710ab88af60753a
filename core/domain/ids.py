"""Identifiers as an argument: time-ordered UUIDs for new things, derived UUIDs for numbered facts.

Time order keeps index inserts at one end of the tree, whatever PostgreSQL version stores them.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable
from uuid import UUID

IdFactory = Callable[[int], UUID]
"""Takes the time in nanoseconds and gives a new id."""

_EXECUTION_SPACE = 0x7EAD_0000_0000_8000_8000_0000_0000_0000


RANDOM_BYTES = 16
_DRAWN_AT_ONCE = 256
_drawn: deque[bytes] = deque()


def random_bytes() -> bytes:
    """RANDOM_BYTES from the system's generator, drawn for many ids at once: to ask the system
    for each costs half a microsecond. Threads may draw at the same time.
    """
    try:
        return _drawn.popleft()
    except IndexError:
        block = os.urandom(RANDOM_BYTES * _DRAWN_AT_ONCE)
        _drawn.extend(
            block[start : start + RANDOM_BYTES]
            for start in range(RANDOM_BYTES, len(block), RANDOM_BYTES)
        )
        return block[:RANDOM_BYTES]


# A process that forks must not share what is drawn already: both would give the same ids.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)


def new_id(now_ns: int) -> UUID:
    """A version 7 UUID (RFC 9562): 48 bits of milliseconds, then randomness."""
    milliseconds = now_ns // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    random = int.from_bytes(random_bytes(), "big") >> 54  # 74 bits
    value |= 0x7 << 76 | random >> 62 << 64
    value |= 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=value)


def derived_id(base: UUID, number: int) -> UUID:
    """The `number`th id that comes from `base`: always the same, of the same version and time."""
    if not number:
        return base
    digest = hashlib.sha256(base.bytes + number.to_bytes(4, "big")).digest()
    time_and_version = base.int >> 76 << 76
    random = int.from_bytes(digest[:10], "big") & ((1 << 76) - 1)
    variant = 0b11 << 62
    return UUID(int=(time_and_version | random) & ~variant | 0b10 << 62)


def execution_uuid(number: int) -> UUID:
    """The UUID by which the API shows execution `number`; the same number always gives the same
    UUID.
    """
    return UUID(int=_EXECUTION_SPACE | number)


def execution_text(number: int) -> str:
    """The same as text, without making a UUID first: every fill is told with it."""
    return f"7ead0000-0000-8000-8000-{number:012x}"
