"""The formula language: what is read, what it comes to, and that nothing else gets through."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from marketdata.domain.chart_reasons import ChartReason, FormulaError
from marketdata.domain.formulas import (
    Node,
    evaluate,
    is_price,
    needed_before,
    parse_formula,
    written,
)
from marketdata.domain.formulas.functions import FUNCTIONS
from marketdata.domain.formulas.lexer import MAX_TEXT
from marketdata.domain.formulas.tree import (
    Binary,
    Call,
    Choice,
    Number,
    Source,
    Unary,
    depth_of,
)
from marketdata.domain.indicators import Columns
from marketdata.domain.indicators.columns import SOURCES, columns_of
from tests.marketdata.test_indicators import walk

Values = list[float | None]


class Row(NamedTuple):
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def bars(*closed: float, volume: int = 10) -> Columns:
    """Bars that open at 2, reach from 1 to 9 and close as said."""
    fixed = (Decimal(2), Decimal(9), Decimal(1))
    return columns_of([Row(*fixed, Decimal(str(c)), Decimal(volume)) for c in closed])


def over(text: str, *closed: float) -> Values:
    return listed(evaluate(parse_formula(text), bars(*closed)))


def listed(values: Sequence[float]) -> Values:
    return [None if math.isnan(value) else float(value) for value in values]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 - 3 - 4", -5),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("7 % 4", 3),
        ("-7 % 4", 1),
        ("1 / 0", None),
        ("0 / 0", None),
        ("7 % 0", None),
        ("(-8) ^ 0.5", None),
        ("9 ^ 9 ^ 9", None),
        ("1 < 2", 1),
        ("2 <= 1", 0),
        ("1 == 1 and 2 != 3", 1),
        ("not 1 or 0", 0),
        ("not 0 and 1", 1),
        ("1 / 0 > 1", None),
        ("not (1 / 0)", None),
        ("1 > 2 ? 3 : 4", 4),
        ("1 ? 2 : 0 ? 3 : 4", 2),
        ("if(close > open, high, low)", 9),
        ("1 / 0 ? 3 : 4", None),
        ("nz(1 / 0)", 0),
        ("nz(1 / 0, 7)", 7),
        ("nz(5)", 5),
        ("abs(-3)", 3),
        ("min(3, 2, 4)", 2),
        ("max(3, 2, 4)", 4),
        ("hl2", 5),
        ("hlc3", 5),
        ("ohlc4", 4.25),
        ("VOLUME", 10),
    ],
)
def test_value_of_one_bar(text: str, value: float | None) -> None:
    assert over(text, 5) == [value]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ref(close, 2)", [None, None, 1, 4]),
        ("change(close)", [None, 3, -2, 3]),
        ("change(close, 2)", [None, None, 1, 1]),
        ("highest(close, 2)", [None, 4, 4, 5]),
        ("lowest(close, 2)", [None, 1, 2, 2]),
        ("sum(close, 3)", [None, None, 7, 11]),
        ("avg(close, 2)", [None, 2.5, 3, 3.5]),
        ("stdev(close, 2)", [None, 1.5, 1, 1.5]),
        ("cross_over(close, 2)", [None, 1, 0, 1]),
        ("cross_under(close, 3)", [None, 0, 1, 0]),
        ("sum(close, 5)", [None, None, None, None]),
        ("sum(1 / (close - 4), 2)", [None, None, None, 0.5]),
        ("sma(close, 2)", [None, 2.5, 3, 3.5]),
        ("medprice()", [5, 5, 5, 5]),
    ],
)
def test_values_over_bars(text: str, values: Values) -> None:
    assert over(text, 1, 4, 2, 5) == values


def test_each_output_of_an_indicator_has_its_name() -> None:
    columns = walk(200)
    text = "macd(close) - macd_macdsignal(close) - macd_macdhist(close)"

    spread = evaluate(parse_formula(text), columns)

    assert np.abs(spread[-50:]).max() < 1e-9


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_works_with_its_own_defaults(name: str) -> None:
    function = FUNCTIONS[name]
    series = ["close"] * function.least
    numbers = ["5"] * function.needed_numbers
    text = f"{name}({', '.join(series + numbers)})"

    values = evaluate(parse_formula(text), walk(60))

    assert len(values) == 60
    assert not np.isinf(values).any()


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, ChartReason.FORMULA_SYNTAX),
        ("close +", 7, ChartReason.FORMULA_SYNTAX),
        ("close close", 6, ChartReason.FORMULA_SYNTAX),
        ("(close", 6, ChartReason.FORMULA_SYNTAX),
        ("close)", 5, ChartReason.FORMULA_SYNTAX),
        ("close = 1", 6, ChartReason.FORMULA_SYNTAX),
        ("1 < 2 < 3", 6, ChartReason.FORMULA_SYNTAX),
        ("1 ? 2", 5, ChartReason.FORMULA_SYNTAX),
        ("close(1)", 5, ChartReason.FORMULA_SYNTAX),
        ("sma", 3, ChartReason.FORMULA_SYNTAX),
        ("sma(close,)", 10, ChartReason.FORMULA_SYNTAX),
        ("1e5", 1, ChartReason.FORMULA_SYNTAX),
        (".5", 0, ChartReason.FORMULA_SYNTAX),
        ("and", 0, ChartReason.FORMULA_SYNTAX),
        ("price + 1", 0, ChartReason.FORMULA_NAME),
        ("1 + foo(close)", 4, ChartReason.FORMULA_NAME),
        ("rsi(14)", 4, ChartReason.FORMULA_ARGUMENT),
        ("ref(close)", 0, ChartReason.FORMULA_ARGUMENT),
        ("ref(close, 0)", 11, ChartReason.FORMULA_ARGUMENT),
        ("ref(close, 1001)", 11, ChartReason.FORMULA_ARGUMENT),
        ("ref(close, 1.5)", 11, ChartReason.FORMULA_ARGUMENT),
        ("ref(close, volume)", 11, ChartReason.FORMULA_ARGUMENT),
        ("sma(close, -3)", 11, ChartReason.FORMULA_ARGUMENT),
        ("if(1, 2)", 0, ChartReason.FORMULA_ARGUMENT),
        ("mavp(close, close, 50)", 0, ChartReason.FORMULA_ARGUMENT),
        ("1234567890123456", 0, ChartReason.FORMULA_LIMIT),
        ("1" * (MAX_TEXT + 1), MAX_TEXT, ChartReason.FORMULA_LIMIT),
        ("+".join("1" * 40), 59, ChartReason.FORMULA_LIMIT),
        ("+".join(["rsi(close)"] * 21), 220, ChartReason.FORMULA_LIMIT),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(
    text: str, position: int, reason: ChartReason
) -> None:
    with pytest.raises(FormulaError) as refused:
        parse_formula(text)

    assert (refused.value.reason, refused.value.position) == (reason, position)
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "().__class__.__bases__[0].__subclasses__()",
        "close.__class__",
        "lambda: 1",
        "[x for x in close]",
        "exec(close)",
        "eval(close)",
        "open('/etc/passwd')",
        "close; close",
        "close\nimport os",
        "f'{close}'",
        "globals()",
        "getattr(close, open)",
        "9 ** 9 ** 9",
        "9" * 400,
        "(" * 10_000,
        "(" * 900 + "1",
        "-" * 999 + "1",
        "not " * 240 + "1",
        "1?" * 450 + "1",
        "sma(" * 240,
        "\x00",
        "\N{FULLWIDTH DIGIT ONE}",
        "clo\N{CYRILLIC SMALL LETTER ES}e",
    ],
)
def test_attack_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(text)


def test_formula_that_is_too_much_work_for_its_bars_is_refused() -> None:
    node = parse_formula("+".join(["stdev(close, 1000)"] * 20))

    evaluate(node, walk(50))
    with pytest.raises(FormulaError) as refused:
        evaluate(node, walk(2_000))

    assert refused.value.reason is ChartReason.FORMULA_LIMIT


@pytest.mark.parametrize(
    ("text", "is_beside_price"),
    [
        ("close", True),
        ("volume", False),
        ("sma(close, 20)", True),
        ("sma(volume, 20)", False),
        ("(high + low) / 2", True),
        ("close - open", False),
        ("close + atr(14) * 2", True),
        ("close / open", False),
        ("close > open", False),
        ("close > open ? high : low", True),
        ("bbands_upperband(close)", True),
        ("rsi(close)", False),
        ("highest(high, 20)", True),
    ],
)
def test_what_lies_beside_the_price_is_drawn_over_it(text: str, is_beside_price: bool) -> None:
    assert is_price(parse_formula(text)) is is_beside_price


def test_bars_needed_before_add_up_along_the_tree() -> None:
    assert needed_before(parse_formula("close")) == 0
    assert needed_before(parse_formula("ref(sma(close, 20), 5) + close")) == 24
    assert needed_before(parse_formula("ref(ref(ref(close, 1000), 1000), 1000)")) == 2_000


# --- Properties

NUMBERS = st.decimals(0, 1_000, places=2).map(float).map(Number)
LEAVES = st.one_of(NUMBERS, st.sampled_from(SOURCES).map(Source))
EXACT_SIGNS = ("+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "and", "or")
WINDOWS = ("ref", "highest", "lowest", "sum", "avg", "change")


def branches(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    window = st.integers(1, 5).map(float).map(lambda n: (n,))
    moving = below.filter(lambda node: not isinstance(node, Number))
    return st.one_of(
        st.builds(Unary, st.sampled_from(("-", "not")), below),
        st.builds(Binary, st.sampled_from(EXACT_SIGNS), below, below),
        st.builds(Choice, below, below, below),
        st.builds(Call, st.sampled_from(WINDOWS), st.tuples(moving), window),
        st.builds(
            Call,
            st.sampled_from(("min", "max", "cross_over", "cross_under", "nz")),
            st.tuples(below, below),
            st.just(()),
        ),
        st.builds(Call, st.just("abs"), st.tuples(below), st.just(())),
    )


TREES: st.SearchStrategy[Node] = st.recursive(LEAVES, branches, max_leaves=10)
QUARTERS = st.integers(-40, 40).map(lambda n: n / 4)
COLUMNS = st.lists(st.tuples(*[QUARTERS] * 5), min_size=1, max_size=12)


@given(TREES)
def test_tree_that_is_written_reads_back_the_same(tree: Node) -> None:
    text = written(tree)
    assume(len(text) <= MAX_TEXT and depth_of(tree) <= 25)

    assert parse_formula(text) == tree


@given(TREES, COLUMNS)
def test_all_bars_at_once_give_what_bar_by_bar_gives(
    tree: Node, rows: list[tuple[float, ...]]
) -> None:
    columns = columns_of([Row(*[Decimal(str(value)) for value in row]) for row in rows])

    assert listed(evaluate(tree, columns)) == pytest.approx(
        [bar_by_bar(tree, columns, place) for place in range(len(rows))], rel=1e-12, nan_ok=True
    )


@given(st.text(max_size=200))
def test_garbage_is_a_formula_or_is_refused(text: str) -> None:
    try:
        parse_formula(text)
    except FormulaError as error:
        assert 0 <= error.position <= len(text)


PIECES = ["close", "sma", "rsi", "(", ")", ",", "1", "20", "+", "-", "^", "?", ":", "<", "and",
          "not", "if", "ref", "max", "=", ".", " "]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join))
def test_pieces_in_any_order_are_a_formula_or_are_refused(text: str) -> None:
    try:
        tree = parse_formula(text)
    except FormulaError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert parse_formula(written(tree)) == tree


# --- The same, slowly


def bar_by_bar(node: Node, columns: Columns, place: int) -> float | None:
    """The value of one bar, by what the documentation says."""

    def at(each: Node, ago: int = 0) -> float | None:
        return None if place < ago else bar_by_bar(each, columns, place - ago)

    match node:
        case Number(value):
            return value
        case Source(name):
            return float(columns[name][place])
        case Unary(sign, operand):
            value_of = at(operand)
            if value_of is None:
                return None
            return -value_of if sign == "-" else float(value_of == 0)
        case Choice(condition, yes, no):
            asked = at(condition)
            return None if asked is None else at(yes if asked else no)
        case Binary(sign, left, right):
            a, b = at(left), at(right)
            return None if a is None or b is None else finite(SCALAR[sign](a, b))
        case Call(name, series, numbers):
            return called(name, series, int(numbers[0]) if numbers else 0, at)


def called(
    name: str, series: tuple[Node, ...], n: int, at: Callable[..., float | None]
) -> float | None:
    if name == "nz":
        first = at(series[0])
        return at(series[1]) if first is None else first
    if name == "ref":
        return at(series[0], n)
    reads = {
        "change": [(series[0], 0), (series[0], n)],
        "abs": [(series[0], 0)],
        "min": [(each, 0) for each in series],
        "max": [(each, 0) for each in series],
        "cross_over": [(each, ago) for ago in (0, 1) for each in series],
        "cross_under": [(each, ago) for ago in (0, 1) for each in series],
    }.get(name, [(series[0], ago) for ago in range(n - 1, -1, -1)])
    found = [at(each, ago) for each, ago in reads]
    values = [value for value in found if value is not None]
    if len(values) < len(found):
        return None
    return finite(WHOLE[name](values))


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def divided(a: float, b: float) -> float:
    return a / b if b else math.nan


def rest(a: float, b: float) -> float:
    return a % b if b else math.nan


SCALAR: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": divided,
    "%": rest,
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "and": lambda a, b: float(bool(a) and bool(b)),
    "or": lambda a, b: float(bool(a) or bool(b)),
}
WHOLE: dict[str, Callable[[list[float]], float]] = {
    "change": lambda v: v[0] - v[1],
    "abs": lambda v: abs(v[0]),
    "min": min,
    "max": max,
    "cross_over": lambda v: float(v[0] > v[1] and v[2] <= v[3]),
    "cross_under": lambda v: float(v[0] < v[1] and v[2] >= v[3]),
    "highest": max,
    "lowest": min,
    "sum": sum,
    "avg": lambda v: sum(v) / len(v),
}
