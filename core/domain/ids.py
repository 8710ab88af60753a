"""Identifiers as an argument: time-ordered UUIDs for new things, derived UUIDs for numbered facts.

Time order keeps index inserts at one end of the tree, whatever PostgreSQL version stores them.
"""

import secrets
from collections.abc import Callable
from uuid import UUID

IdFactory = Callable[[int], UUID]
"""Takes the time in nanoseconds and gives a new id."""

_EXECUTION_SPACE = 0x7EAD_0000_0000_8000_8000_0000_0000_0000


def new_id(now_ns: int) -> UUID:
    """A version 7 UUID (RFC 9562): 48 bits of milliseconds, then randomness."""
    milliseconds = now_ns // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    random = secrets.randbits(74)
    value |= 0x7 << 76 | random >> 62 << 64
    value |= 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=value)


def execution_uuid(number: int) -> UUID:
    """The UUID by which the API shows execution `number`; the same number always gives the same
    UUID.
    """
    return UUID(int=_EXECUTION_SPACE | number)
