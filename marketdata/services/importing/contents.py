"""Opens a file to import, packed or not, and gives its blocks. What cannot be read of it, at
whatever step, is a FileFormatError with a sentence: the job then says why it stands still.
"""

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import pyarrow as pa

from marketdata.domain.file_tables import Block, FileFormatError, csv_blocks, parquet_blocks
from marketdata.domain.lean import SourceFile

PARQUET: Final = ".parquet"
MAX_TEXT_BYTES: Final = 2 * 2**30
"""Of a CSV file, unpacked: it is held in memory. Some 60 million rows; split what is larger."""
MAX_RATIO: Final = 200
"""Of unpacked to packed bytes; ticks pack 5 to 30 times. More is a zip that was made to fill us."""
RATIO_FROM_BYTES: Final = 64 * 2**20
"""Smaller files may be of any ratio: a day in which nothing changed packs well."""

UNREADABLE: Final = (
    pa.ArrowException, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError,
    LookupError, OverflowError,
)  # fmt: skip
"""What libraries raise at what a file holds: bytes that are no text, formats of times that are
none, types that are no numbers.
"""

Item = TypeVar("Item")


def blocks_of(file: SourceFile) -> Iterator[Block]:
    """The blocks of a CSV file (also one in a zip) or a Parquet file.

    Raises FileFormatError when it is not what it should be, OSError when it cannot be read.
    """
    if not file.path.is_file():
        is_there = file.path.exists()
        problem = f"{file.path} is no file" if is_there else f"there is no file {file.path}"
        raise FileFormatError(problem)
    if file.path.suffix == PARQUET:
        return parquet_blocks(file.path, file.mapping)
    return csv_blocks(_text(file.path), file.mapping)


def readable(file: SourceFile, made: Iterator[Item]) -> Iterator[Item]:
    """What is `made` of the file's blocks; FileFormatError for whatever its bytes lead to."""
    try:
        yield from made
    except FileFormatError:
        raise
    except UNREADABLE as error:
        raise FileFormatError(f"{file.path.name} cannot be read: {error}") from error


def _text(path: Path) -> bytes:
    if path.suffix != ".zip":
        _check_size(path.name, path.stat().st_size)
        return path.read_bytes()
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) != 1:
                raise FileFormatError(f"{path.name} holds {len(members)} files; one is expected")
            (member,) = members
            _check_size(path.name, member.file_size)
            is_large = member.file_size > RATIO_FROM_BYTES
            if is_large and member.file_size > MAX_RATIO * member.compress_size:
                raise FileFormatError(
                    f"{path.name} unpacks to more than {MAX_RATIO} times its size; unpack it if it"
                    " is what it should be"
                )
            return archive.read(member)  # never more than the size that it states
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise FileFormatError(f"{path.name} is no readable zip: {error}") from error
    except RuntimeError as error:  # with a password, or of a method that nobody knows
        raise FileFormatError(f"{path.name} cannot be unpacked: {error}") from error


def _check_size(name: str, size: int) -> None:
    if size > MAX_TEXT_BYTES:
        raise FileFormatError(
            f"{name} has {size:,} bytes of text, more than {MAX_TEXT_BYTES:,}; split it"
        )
