"""How a whole batch becomes one statement: lists as array literals, many tables' writes as one.

Building a literal with str.join is several times faster than binding a Python list element by
element, and one statement costs a third of the round trips, parsing and waiting of ten. The engine
commits every batch this way; each app says what its own tables get.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, cast
from uuid import UUID

EPOCH_SQL = "timestamptz 'epoch' + {} * interval '1 microsecond'"

_SEPARATOR = "\x1f"
DOCUMENTS_SQL = "string_to_array(%s::text, E'\\x1f')"
"""What `documents` stands for: an array of JSON documents."""


class Write(NamedTuple):
    """One table's part of a batch: an INSERT or UPDATE with `%s` for each of its values."""

    sql: str
    values: Sequence[str | bytes]


def one_statement(condition: Write, writes: Sequence[Write]) -> tuple[str, list[str | bytes]]:
    """`writes` as one statement, done wholly or not at all, with its values for `$1`, `$2`, ...

    `condition` returns one row when it holds; otherwise everything fails with a division by zero.
    Each part sees the tables as they were before, so no two parts may write the same row.
    """
    sql = _joined(condition.sql, tuple([write.sql for write in writes]))
    values = [*condition.values]
    for write in writes:
        values += write.values
    return sql, values


@lru_cache(maxsize=256)  # one for each set of tables that a batch may touch: a few dozen
def _joined(condition: str, parts: tuple[str, ...]) -> str:
    rest = "".join([f", write_{number} AS ({part})" for number, part in enumerate(parts)])
    sql = f"WITH condition AS ({condition}){rest} SELECT 1 / count(*) FROM condition"  # noqa: S608
    first, *others = sql.split("%s")
    return first + "".join([f"${number}{text}" for number, text in enumerate(others, start=1)])


def ints(values: Iterable[int | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def bools(values: Iterable[bool]) -> str:
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


def uuids(values: Iterable[UUID | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else value.hex for value in values]) + "}"


def micros(values: Iterable[int | None]) -> str:
    """Nanoseconds as the microseconds that EPOCH_SQL turns into a timestamp."""
    return (
        "{" + ",".join(["NULL" if value is None else str(value // 1000) for value in values]) + "}"
    )


def texts(values: Iterable[str | None]) -> str:
    """Quoted, so that any character of a text is only ever text."""
    listed = [*values]
    if None not in listed:
        joined = '","'.join(cast(list[str], listed))
        if joined.count('"') == 2 * len(listed) - 2 and "\\" not in joined:
            return f'{{"{joined}"}}'  # nothing in them to be quoted: the usual case, at a third
    return "{" + ",".join(["NULL" if value is None else _quote(value) for value in listed]) + "}"


def _quote(value: str) -> str:
    if '"' in value or "\\" in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def documents(values: Iterable[str]) -> str:
    """JSON documents, for DOCUMENTS_SQL. JSON escapes every control character, so what separates
    them is in none of them; neither side has to look at each quote, as in an array's literal.
    """
    return _SEPARATOR.join(values)
