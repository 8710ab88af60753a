"""Lists as PostgreSQL array literals, for statements that write a whole batch through unnest().

Building the literal with str.join is several times faster than binding a Python list element by
element, and the batch is the hot path of the engine. Used by each app's batch writer.
"""

from collections.abc import Iterable
from uuid import UUID

EPOCH_SQL = "timestamptz 'epoch' + {} * interval '1 microsecond'"


def ints(values: Iterable[int | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def bools(values: Iterable[bool]) -> str:
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


def uuids(values: Iterable[UUID]) -> str:
    return "{" + ",".join([value.hex for value in values]) + "}"


def micros(values: Iterable[int | None]) -> str:
    """Nanoseconds as the microseconds that EPOCH_SQL turns into a timestamp."""
    return (
        "{" + ",".join(["NULL" if value is None else str(value // 1000) for value in values]) + "}"
    )


def texts(values: Iterable[str | None]) -> str:
    """Quoted, so that any character of a text is only ever text."""
    return "{" + ",".join(["NULL" if value is None else _quote(value) for value in values]) + "}"


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
