"""The chart data service: bars with indicators and formulas, bar by bar.

What closed bars came to is kept in this process; each answer works out anew only the last bar,
which still grows, from as many bars before it as that takes.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from accounts.models import User
from core.cache import keep
from marketdata.cache import CHART_BARS, CHART_INDICATORS, WindowKey, windows
from marketdata.domain.chart_reasons import ChartError, ChartReason
from marketdata.domain.formulas import Node, evaluate, needed_before, parse_formula, written
from marketdata.domain.formulas.evaluator import is_cumulative, is_price
from marketdata.domain.indicators import (
    Columns,
    IndicatorSpec,
    compute,
    parse_indicator,
    split_list,
    warm_up,
)
from marketdata.domain.indicators.catalogue import Style
from marketdata.domain.indicators.columns import Floats, columns_of
from marketdata.domain.lru_cache import LruCache
from marketdata.domain.timeframes import Timeframe
from marketdata.models import Instrument
from marketdata.selectors import BarView, bars_for_chart
from marketdata.selectors.charts import bars_with_history, ends_at, formula_of
from marketdata.services.formulas import no_such_formula, refusal_of

MOST_INDICATORS: Final = 10
"""Of one chart: more panes than that nobody can look at."""

HISTORY_STEP: Final = 100
"""How many bars are read is rounded up to this, so that charts share what was read."""

NEWEST: Final = 3
"""Bars read for each answer: the one that grows, the one before, and one because a minute that is
not stored yet may count as missing.
"""

MAX_AGE_SECONDS: Final = 60.0
"""For so long an import into the past may go unseen; the newest bars are read each time."""

DECIMALS: Final = 8
"""Digits behind the point of an indicator's value, as many as prices have."""

FORMULA_PREFIX: Final = "formula:"
TRIED: Final = "formula"
"""What a formula that is only tried is called in the answer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing to draw: an indicator or a formula, under the name by which it was asked for."""

    key: str
    title: str
    what: IndicatorSpec | Node

    @property
    def identity(self) -> str:
        """Equal for what draws the same, whoever asks."""
        return str(self.what) if isinstance(self.what, IndicatorSpec) else written(self.what)

    @property
    def needed(self) -> int:
        """Bars to read before the first shown."""
        if isinstance(self.what, IndicatorSpec):
            return warm_up(self.what)
        return needed_before(self.what)

    @property
    def is_cumulative(self) -> bool:
        if isinstance(self.what, IndicatorSpec):
            return self.what.indicator.is_cumulative
        return is_cumulative(self.what)

    @property
    def lines(self) -> list[tuple[str, Style, bool]]:
        """Name, style and whether it is drawn over the price, of each output."""
        if isinstance(self.what, IndicatorSpec):
            over = self.what.is_overlay
            outputs = self.what.indicator.outputs
            return [(each.name, each.style, over and each.is_overlay) for each in outputs]
        return [("value", Style.LINE, is_price(self.what))]

    def over(self, columns: Columns) -> dict[str, Floats]:
        if isinstance(self.what, IndicatorSpec):
            return compute(self.what, columns)
        return {"value": evaluate(self.what, columns)}


@dataclass(frozen=True, slots=True)
class Line:
    """One output over the bars of a chart; None where it has no value."""

    name: str
    style: Style
    is_overlay: bool
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """What came of one Wanted."""

    key: str
    title: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, oldest first, and series as long as they are."""

    bars: Sequence[BarView]
    series: list[Series]
    is_last_closed: bool


@dataclass(frozen=True, slots=True)
class ChartQuery:
    """Which chart: the newest `limit` bars, of which the answer tells the last `tail`, or all."""

    instrument: Instrument
    timeframe: Timeframe
    limit: int
    wanted: tuple[Wanted, ...] = ()
    tail: int | None = None


@dataclass(frozen=True, slots=True)
class _History:
    """The closed bars that were read, oldest first, and the same as columns."""

    key: tuple[object, ...]
    bars: tuple[BarView, ...]
    columns: Columns


HISTORIES: Final[LruCache[_History]] = LruCache(max_weight=60_000, max_age_seconds=MAX_AGE_SECONDS)
"""Weighs bars: a kilobyte each."""
RESULTS: Final[LruCache[dict[str, Floats]]] = LruCache(
    max_weight=2_000_000, max_age_seconds=MAX_AGE_SECONDS
)
"""Weighs values: eight bytes each."""
keep(CHART_BARS, HISTORIES)
keep(CHART_INDICATORS, RESULTS)


def wanted_in(text: str, owner: User, tried: str | None = None) -> tuple[Wanted, ...]:
    """What a list such as `SMA(20),formula:my own` asks for; `tried` is the text of a formula that
    is not kept. Refusal that says what is wrong.
    """
    try:
        found = [_wanted(part, owner) for part in split_list(text)]
        if tried is not None:
            found.append(Wanted(TRIED, "Formula", parse_formula(tried)))
        if len(found) > MOST_INDICATORS:
            raise ChartError(
                ChartReason.INDICATOR_LIMIT, f"One chart draws {MOST_INDICATORS} at most."
            )
    except ChartError as error:
        raise refusal_of(error) from error
    return tuple({each.key: each for each in found}.values())


def chart(query: ChartQuery, now: datetime) -> Chart:
    """The newest bars and what the indicators come to over them; the last bar may still be growing.

    Values are statistics: floats, rounded half to even to DECIMALS. Refusal when a formula is too
    much work.
    """
    newest = bars_for_chart(query.instrument, query.timeframe, NEWEST, now)[-2:]
    if not newest:
        return Chart([], [_empty(each) for each in query.wanted], True)
    last = newest[-1]
    history = _history(query, newest[0] if len(newest) > 1 else None, now)
    shown = [*history.bars, last][-query.limit :]
    if query.tail is not None:
        shown = shown[-query.tail :]
    try:
        series = [_series(each, history, last, len(shown)) for each in query.wanted]
    except ChartError as error:
        raise refusal_of(error) from error
    return Chart(shown, series, ends_at(last, query.timeframe) <= now)


def _wanted(part: str, owner: User) -> Wanted:
    if not part.startswith(FORMULA_PREFIX):
        spec = parse_indicator(part)
        return Wanted(str(spec), str(spec), spec)
    formula = formula_of(owner, part.removeprefix(FORMULA_PREFIX).strip())
    if formula is None:
        raise no_such_formula()
    return Wanted(f"{FORMULA_PREFIX}{formula.pk}", formula.name, parse_formula(formula.text))


def _history(query: ChartQuery, closed: BarView | None, now: datetime) -> _History:
    """The bars until `closed`, the newest that is over. A minute that was stored late makes it
    another bar, so it is part of the key.
    """
    needed = query.limit + max((each.needed for each in query.wanted), default=0)
    count = -(-needed // HISTORY_STEP) * HISTORY_STEP
    key = (query.instrument.pk, str(query.timeframe), count, closed)
    known = HISTORIES.get(key, time.monotonic())
    if known is not None:
        return known
    asked_at = time.monotonic()
    bars = [] if closed is None else _closed_bars(query, closed, count, now)
    history = _History(key, tuple(bars), columns_of(bars))
    HISTORIES.keep(key, history, weight=len(bars) + 1, now_seconds=asked_at)
    return history


def _closed_bars(query: ChartQuery, closed: BarView, count: int, now: datetime) -> list[BarView]:
    """`count` bars before `closed`, and `closed`: of the window that some gateway has read, or of
    the database.
    """
    key = WindowKey(query.instrument.pk, str(query.timeframe), count, closed)
    known, version = windows().read(key)
    if known is not None:
        return known
    found = bars_with_history(query.instrument, query.timeframe, count + 1, now)
    bars = [*[bar for bar in found if bar.start < closed.start][-count:], closed]
    windows().keep(key, version, bars)
    return bars


def _series(wanted: Wanted, history: _History, last: BarView, shown: int) -> Series:
    closed = _closed_values(wanted, history)
    before = history.columns
    if not wanted.is_cumulative:
        before = before.last(wanted.needed)
    grown = wanted.over(before.then(columns_of([last])))
    lines = []
    for name, style, is_overlay in wanted.lines:
        values = np.append(closed[name][len(closed[name]) - shown + 1 :], grown[name][-1])
        lines.append(Line(name, style, is_overlay, _listed(values)))
    return Series(wanted.key, wanted.title, lines)


def _closed_values(wanted: Wanted, history: _History) -> dict[str, Floats]:
    key = (*history.key, wanted.identity)
    asked_at = time.monotonic()
    known = RESULTS.get(key, asked_at)
    if known is not None:
        return known
    values = wanted.over(history.columns)
    weight = sum(len(column) for column in values.values()) + 1
    RESULTS.keep(key, values, weight=weight, now_seconds=asked_at)
    return values


def _listed(values: Floats) -> list[float | None]:
    rounded: list[float] = np.round(values, DECIMALS).tolist()
    return [None if value != value else value for value in rounded]  # only NaN differs from itself


def _empty(wanted: Wanted) -> Series:
    lines = [Line(name, style, is_overlay, []) for name, style, is_overlay in wanted.lines]
    return Series(wanted.key, wanted.title, lines)
