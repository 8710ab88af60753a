"""Opens a file to import, packed or not, and gives its blocks."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from marketdata.domain.file_tables import Block, FileFormatError, csv_blocks, parquet_blocks
from marketdata.domain.lean import SourceFile

PARQUET = ".parquet"


def blocks_of(file: SourceFile) -> Iterator[Block]:
    """The blocks of a CSV file (also one in a zip) or a Parquet file.

    Raises FileFormatError when it is not what it should be, OSError when it cannot be read.
    """
    if file.path.suffix == PARQUET:
        return parquet_blocks(file.path, file.mapping)
    return csv_blocks(_text(file.path), file.mapping)


def _text(path: Path) -> bytes:
    if path.suffix != ".zip":
        return path.read_bytes()
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise FileFormatError(f"{path.name} holds {len(names)} files; one is expected")
            return archive.read(names[0])
    except zipfile.BadZipFile as error:
        raise FileFormatError(f"{path.name} is no readable zip: {error}") from error
