"""Closed vocabularies that are looked up in dicts and sets on every order."""

from enum import StrEnum


class Word(StrEnum):
    """A StrEnum whose members are hashed as the texts they are, by the interpreter itself.

    An Enum's own hash is a call of Python code; with one for each side, status and event in each
    look-up the order book spent a fifth of its time on them.
    """

    __hash__ = str.__hash__
