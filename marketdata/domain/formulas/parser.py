"""Reads a formula: a Pratt parser that builds the tree and checks every name and number on its way.

Limits hold while it reads, so that a hostile text costs no more than a long one.
"""

from typing import Final

from marketdata.domain.chart_reasons import ChartReason, FormulaError
from marketdata.domain.formulas.functions import FUNCTIONS, KEYWORDS, Function
from marketdata.domain.formulas.lexer import Piece, Token, tokens_of
from marketdata.domain.formulas.tree import (
    Binary,
    Call,
    Choice,
    Node,
    Number,
    Source,
    Unary,
    depth_of,
)
from marketdata.domain.indicators.catalogue import Kind
from marketdata.domain.indicators.columns import SOURCES
from marketdata.domain.indicators.talib_info import lookback

MAX_NODES: Final = 200
MAX_DEPTH: Final = 30
"""Of the tree; `a + b + c` is one deeper with each."""
MAX_NESTING: Final = 100
"""Parentheses and operators within each other: Python's own stack has to hold them."""
MAX_TALIB_CALLS: Final = 20

_BINDING: Final = {
    "?": 1, "or": 2, "and": 3, "<": 5, "<=": 5, ">": 5, ">=": 5, "==": 5, "!=": 5, "+": 6, "-": 6,
    "*": 7, "/": 7, "%": 7, "^": 9,
}  # fmt: skip
"""How tightly a sign holds what stands on its left."""
_NOT: Final = 4
_MINUS: Final = 8
_COMPARES: Final = 5


def parse_formula(text: str) -> Node:
    """The tree of `text`; a FormulaError that says where and why it is none."""
    return _Parser(text).whole()


class _Parser:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens_of(text)
        self._place = 0
        self._nesting = 0
        self._nodes = 0
        self._talib_calls = 0

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._now
        self._place += token.piece is not Piece.END
        return token

    def whole(self) -> Node:
        node = self._expression(0)
        if self._now.piece is not Piece.END:
            raise self._syntax(f"Nothing can follow here; {_shown(self._now)} is too much.")
        return node

    def _expression(self, least: int) -> Node:
        """What stands here, as far as signs bind tighter than `least`."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self._limit("It is nested too deeply.", self._now)
        left = self._operand(self._next())
        compared = False
        while (binding := _BINDING.get(self._now.text, 0)) > least:
            sign = self._next()
            if binding == _COMPARES and compared:
                raise self._syntax("Comparisons do not chain; join two with and.", sign)
            compared = binding == _COMPARES
            left = self._joined(left, sign, binding)
        self._nesting -= 1
        return left

    def _joined(self, left: Node, sign: Token, binding: int) -> Node:
        if sign.text == "?":
            yes = self._expression(0)
            self._expect(":")
            return self._made(Choice(left, yes, self._expression(binding - 1)), sign)
        # A power holds its right side first: 2^3^2 is 2^9.
        right = self._expression(binding - 1 if sign.text == "^" else binding)
        return self._made(Binary(sign.text, left, right), sign)

    def _operand(self, token: Token) -> Node:
        if token.piece is Piece.NUMBER:
            return self._made(Number(float(token.text)), token)
        if token.text == "(":
            inner = self._expression(0)
            self._expect(")")
            return inner
        if token.text == "-":
            return self._made(Unary("-", self._expression(_MINUS)), token)
        if token.text == "not":
            return self._made(Unary("not", self._expression(_NOT)), token)
        if token.piece is Piece.NAME:
            return self._named(token)
        raise self._syntax(f"A value is missing before {_shown(token)}.", token)

    def _named(self, token: Token) -> Node:
        name = token.text
        if name in SOURCES:
            if self._now.text == "(":
                raise self._syntax(f"{name} is a value, not a function; use ref({name}, n).")
            return self._made(Source(name), token)
        if name in KEYWORDS and name != "if":
            raise self._syntax(f"A value is missing before {name}.", token)
        if name != "if" and name not in FUNCTIONS:
            raise FormulaError(
                ChartReason.FORMULA_NAME,
                f"Nothing is called {name[:32]}; see the list of values and functions.",
                token.position,
            )
        self._expect("(")
        arguments = self._arguments()
        if name == "if":
            if len(arguments) != 3:
                raise _argument("if takes a condition, a value, and another value.", token)
            return self._made(Choice(*(node for node, _ in arguments)), token)
        return self._call(FUNCTIONS[name], token, arguments)

    def _arguments(self) -> list[tuple[Node, Token]]:
        """What stands in the parentheses of a call, each with the token it begins at."""
        found: list[tuple[Node, Token]] = []
        if self._now.text == ")":
            self._next()
            return found
        while True:
            begins = self._now
            found.append((self._expression(0), begins))
            if self._now.text != ",":
                self._expect(")")
                return found
            self._next()

    def _call(self, function: Function, token: Token, arguments: list[tuple[Node, Token]]) -> Node:
        # What is left over when the series are there are numbers.
        series_count = min(len(arguments), function.most)
        series, rest = arguments[:series_count], arguments[series_count:]
        least, most = function.needed_numbers, len(function.numbers)
        if series_count < function.least or not least <= len(rest) <= most:
            raise _argument(f"It is written {usage(function)}.", token)
        for node, begins in series:
            if isinstance(node, Number) and (function.numbers or function.indicator):
                # `rsi(14)` would be the RSI of the number 14.
                raise _argument(f"A number never moves. It is written {usage(function)}.", begins)
        numbers = tuple(
            _checked(function, place, node, begins) for place, (node, begins) in enumerate(rest)
        )
        self._nodes -= len(rest)  # they are part of the call
        if function.indicator is not None:
            self._talib_calls += 1
            if self._talib_calls > MAX_TALIB_CALLS:
                raise self._limit(f"At most {MAX_TALIB_CALLS} functions of TA-Lib.", token)
            if lookback(function.indicator.name, function.keywords(numbers)) < 0:
                raise _argument(f"The numbers of {function.name} do not fit together.", token)
        return self._made(Call(function.name, tuple(node for node, _ in series), numbers), token)

    def _made(self, node: Node, token: Token) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._limit(f"It has more than {MAX_NODES} parts.", token)
        if depth_of(node) > MAX_DEPTH:
            raise self._limit(f"It is more than {MAX_DEPTH} levels deep.", token)
        return node

    def _expect(self, sign: str) -> None:
        if self._now.text != sign:
            raise self._syntax(f"{sign!r} is missing before {_shown(self._now)}.")
        self._next()

    def _syntax(self, message: str, token: Token | None = None) -> FormulaError:
        position = (token or self._now).position
        return FormulaError(ChartReason.FORMULA_SYNTAX, message, position)

    def _limit(self, message: str, token: Token) -> FormulaError:
        return FormulaError(ChartReason.FORMULA_LIMIT, message, token.position)


def usage(function: Function) -> str:
    """How a call of it is written: `rsi(x, timeperiod=14)`."""
    names = ["x", "y", "z"] if function.most <= 3 else ["x", "y", "..."]
    series = names[: max(function.least, min(function.most, len(names)))]
    parts = series + [
        each.name if place < function.needed_numbers else f"{each.name}={each.default:g}"
        for place, each in enumerate(function.numbers)
    ]
    return f"{function.name}({', '.join(parts)})"


def _checked(function: Function, place: int, node: Node, begins: Token) -> float:
    """The plain number that an argument has to be, within its parameter's range."""
    parameter = function.numbers[place]
    match node:
        case Number(value):
            pass
        case Unary("-", Number(size)):
            value = -size
        case _:
            raise _argument(f"{parameter.name} of {function.name} has to be a number.", begins)
    if parameter.kind is not Kind.NUMBER and not value.is_integer():
        raise _argument(f"{parameter.name} has to be a whole number.", begins)
    if not parameter.takes(value):
        raise _argument(
            f"{parameter.name} has to lie from {parameter.lowest:g} to {parameter.highest:g}.",
            begins,
        )
    return value


def _argument(message: str, token: Token) -> FormulaError:
    return FormulaError(ChartReason.FORMULA_ARGUMENT, message, token.position)


def _shown(token: Token) -> str:
    return "the end" if token.piece is Piece.END else repr(token.text[:32])
