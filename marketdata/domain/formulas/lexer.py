"""A formula's text in pieces: numbers, names and signs, each with the place where it stands."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from marketdata.domain.chart_reasons import ChartReason, FormulaError

MAX_TEXT: Final = 1_000
"""Characters: a screenful, and what the table of formulas holds."""

MAX_DIGITS: Final = 15
"""Before and after the point: a float tells no more apart."""

_PIECE = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|==|!=|[-+*/%^<>?:(),])",
    re.ASCII,
)


class Piece(StrEnum):
    """What kind of piece it is."""

    NUMBER = "number"
    NAME = "name"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One piece; names are in lower case. `position` counts characters from 0."""

    piece: Piece
    text: str
    position: int


def tokens_of(text: str) -> list[Token]:
    """The pieces of `text` and its end; a FormulaError at the first character that is none."""
    if len(text) > MAX_TEXT:
        raise FormulaError(
            ChartReason.FORMULA_LIMIT, f"Write at most {MAX_TEXT:,} characters.", MAX_TEXT
        )
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _PIECE.match(text, place)
        if match is None:
            raise FormulaError(ChartReason.FORMULA_SYNTAX, _why_none(text[place]), place)
        if match["number"]:
            found.append(Token(Piece.NUMBER, _checked(match[0], place), place))
        elif match["name"]:
            found.append(Token(Piece.NAME, match[0].lower(), place))
        elif match["sign"]:
            found.append(Token(Piece.SIGN, match[0], place))
        place = match.end()
    return [*found, Token(Piece.END, "", len(text))]


def _checked(number: str, place: int) -> str:
    if max(len(part) for part in number.split(".")) > MAX_DIGITS:
        raise FormulaError(
            ChartReason.FORMULA_LIMIT,
            f"A number has at most {MAX_DIGITS} digits before and after its point.",
            place,
        )
    return number


def _why_none(character: str) -> str:
    if character == "=":
        return "Two values are compared with ==."
    if character == ".":
        return "A point stands within a number only, with digits on both sides."
    if character in "&|!":
        return "Conditions are joined with the words and, or, not."
    return f"The character {character!r} means nothing in a formula."
