"""Tables as lists of columns, each a line: from them come the statements that write a whole batch.

A column says how its value travels (the array's type), how SQL turns it into what is stored, and
where Python finds it in a row. The statements are made once, at import; a batch only fills in one
array literal a column (core/batch_sql.py).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from core.batch_sql import (
    DOCUMENTS_SQL,
    EPOCH_SQL,
    Write,
    bools,
    documents,
    ints,
    micros,
    texts,
    uuids,
)

Row = TypeVar("Row")
Value = TypeVar("Value")


class Column(NamedTuple, Generic[Row]):
    """`array` is the SQL of the array that travels, `stored` of what is stored of an element;
    `compared` is a template for the SQL by which two stored values are told apart.
    """

    name: str
    array: str
    stored: str
    literal: Callable[[Collection[Row]], str]
    compared: str


Columns: TypeAlias = Sequence[Column[Row]]


@dataclass(frozen=True)
class WriteRows(Generic[Row]):
    """Called with rows, it makes the write of one table."""

    table: str
    columns: Columns[Row]
    sql: str

    def __call__(self, rows: Collection[Row]) -> Write:
        return Write(self.sql, [column.literal(rows) for column in self.columns])


@dataclass(frozen=True)
class Kind(Generic[Value]):
    """What columns of one sort have in common; called, it makes one of them."""

    array: str
    literal: Callable[[Iterable[Value]], str]
    stored: str = "{}"
    compared: str = "{}"

    def __call__(self, name: str, get: Callable[[Collection[Row]], Iterable[Value]]) -> Column[Row]:
        """The column `name`, whose values `get` finds in the rows."""
        literal = self.literal
        stored = self.stored.format(f"item.{name}")
        return Column(name, self.array, stored, lambda rows: literal(get(rows)), self.compared)


uuid: Kind[UUID | None] = Kind("%s::uuid[]", uuids)
text: Kind[str | None] = Kind("%s::text[]", texts)
json: Kind[str | None] = Kind("%s::text[]", texts, "{}::jsonb")
address: Kind[str | None] = Kind("%s::text[]", texts, "{}::inet")
flag: Kind[bool] = Kind("%s::boolean[]", bools)
number: Kind[int | None] = Kind("%s::bigint[]", ints)
units: Kind[int | None] = Kind("%s::bigint[]", ints, "{} * 0.00000001")
large_units: Kind[int | None] = Kind("%s::numeric[]", ints, "{} * 0.00000001")
"""Units that may outgrow 64 bits: sums of money, and all that the house and the street have."""

bps: Kind[int | None] = Kind("%s::bigint[]", ints, "{} * 0.0001")
"""A rate in units of 10^-8, stored in basis points."""

time: Kind[int | None] = Kind("%s::bigint[]", micros, EPOCH_SQL)
"""Nanoseconds, stored as a timestamp."""

document: Kind[str] = Kind(DOCUMENTS_SQL, documents, "{}::json", "json_strip_nulls({})::text")
"""JSON text, stored as it is. Compared are its members in their order; one that is null counts as
one that is left out, as older documents have it.
"""


def insert(
    table: str, columns: Columns[Row], constants: Mapping[str, str] = MappingProxyType({})
) -> WriteRows[Row]:
    """Writes new rows. `constants` are columns that are the same in all of them, and their SQL."""
    return WriteRows(table, columns, _insert_sql(table, columns, constants))


def upsert(
    table: str, *, key: Columns[Row], changing: Columns[Row], fixed: Columns[Row] = ()
) -> WriteRows[Row]:
    """Writes rows, or the `changing` columns of those that are there under their `key`."""
    columns = (*key, *fixed, *changing)
    changes = ", ".join([f"{column.name} = excluded.{column.name}" for column in changing])
    conflict = f"ON CONFLICT ({_names(key)}) DO UPDATE SET {changes}"
    return WriteRows(table, columns, f"{_insert_sql(table, columns)} {conflict}")


def update(table: str, *, key: Column[Row], changing: Columns[Row]) -> WriteRows[Row]:
    """Writes the `changing` columns of the rows that `key` names."""
    columns = (key, *changing)
    changes = ", ".join([f"{column.name} = {column.stored}" for column in changing])
    named = f"{table}.{key.name} = {key.stored}"
    sql = f"UPDATE {table} SET {changes} FROM {_items(columns)} WHERE {named}"  # noqa: S608
    return WriteRows(table, columns, sql)


def stored_otherwise(
    table: str, *, key: Collection[str], columns: Columns[Row]
) -> Callable[[Collection[Row]], Write]:
    """Reads which of the rows are not stored just so: pairs of JSON, what is stored (or null) and
    what the row would be.
    """
    stored = ", ".join([f"{column.stored} AS {column.name}" for column in columns])
    same = " AND ".join([f"is_.{name} = should.{name}" for name in key])
    is_, should = (
        ", ".join([item.compared.format(f"{of}.{item.name}") for item in columns])
        for of in ("is_", "should")
    )
    sql = (
        "SELECT to_jsonb(is_)::text, to_jsonb(should)::text"  # noqa: S608  # names of ours
        f" FROM (SELECT {stored} FROM {_items(columns)}) AS should"
        f" LEFT JOIN {table} AS is_ ON {same} WHERE ({is_}) IS DISTINCT FROM ({should})"
    )
    return WriteRows(table, columns, sql)


def _insert_sql(
    table: str, columns: Columns[Row], constants: Mapping[str, str] = MappingProxyType({})
) -> str:
    names = ", ".join([column.name for column in columns] + [*constants])
    stored = ", ".join([column.stored for column in columns] + [*constants.values()])
    source = f"SELECT {stored} FROM {_items(columns)}"  # noqa: S608  # names of ours
    return f"INSERT INTO {table} ({names}) {source}"


def _items(columns: Columns[Row]) -> str:
    arrays = ", ".join([column.array for column in columns])
    return f"unnest({arrays}) AS item ({_names(columns)})"


def _names(columns: Columns[Row]) -> str:
    return ", ".join([column.name for column in columns])
