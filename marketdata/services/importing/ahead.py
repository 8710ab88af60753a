"""Makes the next item while the one before is used: parsing goes on while the database works."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

Item = TypeVar("Item")

_END: Final = object()


def one_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The items as they are, each made in another thread while its forerunner is in use."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield item  # type: ignore[misc]  # _END is none of them
