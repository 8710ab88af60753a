"""What a formula is once it is read: a tree that never changes, and its text again."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Source:
    """A column of the bars: close, hl2 ..."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    sign: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? yes : no`, also written `if(condition, yes, no)`."""

    condition: "Node"
    yes: "Node"
    no: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language: first what it reads, then its plain numbers."""

    name: str
    series: "tuple[Node, ...]"
    numbers: tuple[float, ...]


Node = Number | Source | Unary | Binary | Choice | Call


def children(node: Node) -> "tuple[Node, ...]":
    """The nodes right below."""
    match node:
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return left, right
        case Choice(condition, yes, no):
            return condition, yes, no
        case Call(_, series, _):
            return series
        case _:
            return ()


def depth_of(node: Node) -> int:
    return 1 + max((depth_of(child) for child in children(node)), default=0)


def count_of(node: Node) -> int:
    return 1 + sum(count_of(child) for child in children(node))


def written(node: Node) -> str:
    """The text that reads back as the same tree, with every parenthesis."""
    match node:
        case Number(value):
            return number_text(value)
        case Source(name):
            return name
        case Unary(sign, operand):
            return f"({sign}{' ' if sign == 'not' else ''}{written(operand)})"
        case Binary(sign, left, right):
            return f"({written(left)} {sign} {written(right)})"
        case Choice(condition, yes, no):
            return f"if({written(condition)}, {written(yes)}, {written(no)})"
        case Call(name, series, numbers):
            parts = [*map(written, series), *map(number_text, numbers)]
            return f"{name}({', '.join(parts)})"


def number_text(value: float) -> str:
    """A plain number without an exponent: the language has none."""
    text = f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")
