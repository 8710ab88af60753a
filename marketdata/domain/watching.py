"""What a watchlist may be: its limits, its name, and how an order of things is changed.

Pure. The services ask it and store what comes of it; the pages show its limits.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final, TypeVar
from unicodedata import category

Id = TypeVar("Id")

MOST_WATCHLISTS: Final = 50
"""Of one person: as many as a menu can still be read."""
MOST_INSTRUMENTS: Final = 200
"""In one list: as many as one socket may follow with quote and bar, and one request may name."""
LONGEST_NAME: Final = 64
"""The dialect's; the column is as wide."""


class WatchReason(StrEnum):
    """Why a change of a watchlist is refused."""

    WATCHLIST_NAME_TAKEN = "WATCHLIST_NAME_TAKEN"
    WATCHLIST_LIMIT = "WATCHLIST_LIMIT"
    WATCHLIST_FULL = "WATCHLIST_FULL"
    WATCHLIST_ITEM_MISSING = "WATCHLIST_ITEM_MISSING"
    WATCHLIST_ITEM_UNKNOWN = "WATCHLIST_ITEM_UNKNOWN"


def clean_name(text: str) -> str | None:
    """The name that `text` writes, with single spaces; None for one that cannot be read or said.

    Control and format characters are refused: two lists would look the same.
    """
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or any(category(letter)[0] == "C" for letter in name):
        return None
    return name


def free_name(name: str, taken: Collection[str]) -> str:
    """`name`, or with the lowest number from 2 behind it that makes it free."""
    number, free = 1, name
    while free in taken:
        number += 1
        ending = f" ({number})"
        free = f"{name[: LONGEST_NAME - len(ending)].rstrip()}{ending}"
    return free


def moved(order: Sequence[Id], what: Id, to: int) -> list[Id]:
    """`order` with `what` at the place `to`, counted from 0; beyond the ends is the end.

    Raises ValueError when `what` is not in it.
    """
    rest = list(order)
    rest.remove(what)
    rest.insert(max(0, min(len(rest), to)), what)
    return rest
