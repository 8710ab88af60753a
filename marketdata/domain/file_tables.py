"""Files into blocks of named columns: CSV and Parquet alike, block by block, so that parsing and
storing overlap and a large file needs little memory.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from marketdata.domain.file_times import TimeFormat

BLOCK_BYTES: Final = 8 * 2**20
"""A quarter of a million lines: enough for a column operation to pay, little to hold twice."""
BLOCK_ROWS: Final = 250_000


class FileFormatError(ValueError):
    """The file is not of the stated format; the message says what is amiss."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where a file has what. `columns` names for each thing we know (time, price, size, bid, ...)
    the file's column: its header, or its position from 0 when the file has no header.

    `price_shift` and `size_shift`: the file counts in 10^-shift (LEAN prices of stocks: 4).
    `whole` columns hold whole numbers only: a faster way for those that do.
    """

    columns: Mapping[str, str]
    time: TimeFormat = field(default_factory=TimeFormat)
    delimiter: str = ","
    has_header: bool = True
    price_shift: int = 0
    size_shift: int = 0
    whole: frozenset[str] = frozenset()
    read: frozenset[str] | None = None
    """What is read of the columns, all of which have to be there; None for all of them."""
    is_carried: bool = False
    """A side of a quote that is 0 has not changed (LEAN)."""
    lean_conditions: bool = False
    """Sale conditions are LEAN's flags in hexadecimal."""


class Block(NamedTuple):
    """`columns` as Arrow arrays by our name; `first` is the number of its first row in the file,
    `malformed` how many rows had other columns than the file.
    """

    columns: dict[str, Any]  # Any: Arrow arrays
    first: int
    malformed: int

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))


def csv_blocks(content: bytes, mapping: ColumnMapping) -> Iterator[Block]:
    """The blocks of a CSV file. Fields hold no line breaks."""
    header, begin = _header(content, mapping)
    first = 0
    while begin < len(content):
        end = min(begin + BLOCK_BYTES, len(content))
        if end < len(content):
            end = content.rfind(b"\n", begin, end) + 1 or content.find(b"\n", end) + 1
            end = end or len(content)
        block = _csv_block(content[begin:end], header, mapping, first)
        first += block.rows
        begin = end
        if block.rows or block.malformed:
            yield block


def parquet_blocks(path: Path, mapping: ColumnMapping) -> Iterator[Block]:
    """The blocks of a Parquet file."""
    try:
        file = pyarrow.parquet.ParquetFile(path)
        wanted = _names_of(file.schema_arrow.names, mapping)
        first = 0
        for batch in file.iter_batches(batch_size=BLOCK_ROWS, columns=[*wanted.values()]):
            columns = {name: batch.column(there) for name, there in wanted.items()}
            yield Block(columns, first, 0)
            first += batch.num_rows
    except pa.ArrowException as error:
        raise FileFormatError(f"{path.name} is not a Parquet file: {error}") from error


def _header(content: bytes, mapping: ColumnMapping) -> tuple[list[str], int]:
    """The file's column names and where its rows begin."""
    line, _, _ = content[: 2**16].partition(b"\n")
    try:
        fields = [name.strip().strip('"') for name in line.decode().split(mapping.delimiter)]
    except UnicodeDecodeError as error:
        raise FileFormatError("the file is no text; is it packed?") from error
    if mapping.has_header:
        return fields, len(line) + 1
    return [str(number) for number in range(len(fields))], 0


def _names_of(header: list[str], mapping: ColumnMapping) -> dict[str, str]:
    missing = sorted({there for there in mapping.columns.values() if there not in header})
    if missing:
        raise FileFormatError(
            f"the file has no column {', '.join(missing)}; it has {', '.join(header)}"
        )
    return {
        name: there
        for name, there in mapping.columns.items()
        if mapping.read is None or name in mapping.read
    }


def _csv_block(text: bytes, header: list[str], mapping: ColumnMapping, first: int) -> Block:
    wanted = _names_of(header, mapping)
    try:
        table, malformed = _read(text, header, wanted, mapping, mapping.whole)
    except pa.ArrowInvalid:  # a number that is none: look at each of them
        table, malformed = _read(text, header, wanted, mapping, frozenset())
    columns = {name: table.column(there) for name, there in wanted.items()}
    return Block(columns, first, malformed)


def _read(
    text: bytes,
    header: list[str],
    wanted: dict[str, str],
    mapping: ColumnMapping,
    whole: frozenset[str],
) -> tuple[Any, int]:  # Any: an Arrow table
    """The rows that have as many columns as the file, and how many have not."""
    malformed: list[None] = []

    def skip(row: Any) -> str:  # Any: Arrow's description of it
        malformed.append(None)
        return "skip"

    types = {there: pa.int64() if name in whole else pa.string() for name, there in wanted.items()}
    table = pyarrow.csv.read_csv(
        io.BytesIO(text),
        read_options=pyarrow.csv.ReadOptions(column_names=header, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=mapping.delimiter, invalid_row_handler=skip
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=sorted(set(types)), column_types=types, strings_can_be_null=False
        ),
    )
    return table, len(malformed)
