"""Closed vocabularies that are looked up in dicts and sets on every order."""

from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING


class Word(StrEnum):
    """A StrEnum whose members are hashed as the texts they are, and say what they are, by the
    interpreter itself.

    An Enum's own hash and value are calls of Python code; with one for each side, status and event
    in each look-up the order book spent a fifth of its time on them.
    """

    __hash__ = str.__hash__

    if not TYPE_CHECKING:  # where it would be taken for a member
        value = property(attrgetter("_value_"))
