"""Splits and dividends: what past prices are multiplied with to compare with today's.

Bars are stored raw; factors are applied when they are read, by choice. A factor holds for raw
prices until its day, that day included; after the last one nothing is changed.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from itertools import pairwise
from operator import attrgetter
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from core.domain.values import EXACT
from marketdata.domain.bar_view import BarView

STEP: Final = Decimal("0.00000001")
"""Adjusted prices and volumes are rounded to it, half up: as finely as anything is stored."""
AMOUNT_STEP: Final = Decimal("0.0001")
SAME_RATIO: Final = Decimal("0.000001")
"""Ratios nearer to each other than this are the same: factors have seven digits or so."""


class Adjustment(StrEnum):
    """Which corporate actions are taken out of past prices."""

    RAW = "raw"
    SPLIT = "split"
    DIVIDEND = "dividend"
    ALL = "all"


class Factor(NamedTuple):
    """Of raw prices until `day`: `price_factor` for the dividends after it, `split_factor` for the
    splits. `reference_price`: the raw close of `day`, where the source tells it.
    """

    day: date
    price_factor: Decimal
    split_factor: Decimal
    reference_price: Decimal | None = None


class Span(NamedTuple):
    """Days from after `after` until `until` (None: from the beginning), with what their prices are
    multiplied by and their volumes divided by.
    """

    after: date | None
    until: date
    price: Decimal
    volume: Decimal


class ActionKind(StrEnum):
    SPLIT = "SPLIT"
    DIVIDEND = "DIVIDEND"


class Action(NamedTuple):
    """What happened before the market opened on the first trading day after `day`.

    A split's `value` is how many shares one became (7; 0.1 for ten into one), a dividend's the
    money for a share in raw prices of then, to four digits; None where the close is not known.
    """

    kind: ActionKind
    day: date
    value: Decimal | None


def spans_of(factors: Iterable[Factor], mode: Adjustment) -> list[Span]:
    """The stretches of days whose prices or volumes change under `mode`, in time order."""
    spans: list[Span] = []
    after: date | None = None
    for factor in sorted(factors, key=attrgetter("day")):
        price = Decimal(1)
        if mode in {Adjustment.DIVIDEND, Adjustment.ALL}:
            price = EXACT.multiply(price, factor.price_factor)
        volume = Decimal(1)
        if mode in {Adjustment.SPLIT, Adjustment.ALL}:
            price = EXACT.multiply(price, factor.split_factor)
            volume = factor.split_factor
        if price != 1 or volume != 1:
            spans.append(Span(after, factor.day, price, volume))
        after = factor.day
    return spans


def adjust(
    bars: Iterable[BarView], factors: Iterable[Factor], mode: Adjustment, zone: str
) -> list[BarView]:
    """The bars under `mode`; `zone` is where their days are told. Exact but for the last step,
    where prices and volumes are rounded half up to 10^-8.
    """
    spans, here = spans_of(factors, mode), ZoneInfo(zone)
    return [_adjusted(bar, _span_at(spans, bar.start.astimezone(here).date())) for bar in bars]


def actions_of(factors: Iterable[Factor]) -> list[Action]:
    """The splits and dividends that the steps from factor to factor tell, in time order.

    Two steps of one day are a split first. Ratios as near to a whole number, or to one over it, as
    the factors' digits can tell are that number.
    """
    actions: list[Action] = []
    known = sorted(factors, key=attrgetter("day"))
    for before, after in pairwise(known):
        ratio = after.split_factor / before.split_factor
        if abs(ratio - 1) > SAME_RATIO:
            actions.append(Action(ActionKind.SPLIT, before.day, _plain(ratio)))
        share = before.price_factor / after.price_factor
        if abs(share - 1) > SAME_RATIO / 10:
            close = before.reference_price
            money = (close * (1 - share)).quantize(AMOUNT_STEP, ROUND_HALF_UP) if close else None
            actions.append(Action(ActionKind.DIVIDEND, before.day, money))
    return actions


def parse_factors(text: str) -> list[Factor]:
    """The rows of LEAN's factor file: day, price factor, split factor, close of the day (0 or 1
    where there was none).

    Raises ValueError with the line that is no such row.
    """
    factors: list[Factor] = []
    for number, line in enumerate(text.split(), start=1):
        try:
            day, price, split, close = line.split(",")
            reference = Decimal(close)
            factors.append(
                Factor(
                    datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date(),
                    Decimal(price),
                    Decimal(split),
                    reference if reference > 1 else None,
                )
            )
        except (ValueError, InvalidOperation) as error:
            raise ValueError(f"line {number} is no factor: {line!r}") from error
        if factors[-1].price_factor <= 0 or factors[-1].split_factor <= 0:
            raise ValueError(f"line {number} has a factor that is not positive: {line!r}")
    return factors


class NameSpan(NamedTuple):
    """What an instrument was called until `until`, that day included, and on which exchange."""

    until: date
    symbol: str
    exchange: str


def parse_map(text: str) -> list[NameSpan]:
    """The rows of LEAN's map file, with symbols in capitals. Raises ValueError with the line that
    is no such row.
    """
    names: list[NameSpan] = []
    for number, line in enumerate(text.split(), start=1):
        try:
            day, symbol, *exchange = line.split(",")
            until = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError as error:
            raise ValueError(f"line {number} is no name: {line!r}") from error
        names.append(NameSpan(until, symbol.upper(), "".join(exchange)))
    return names


def _span_at(spans: Sequence[Span], day: date) -> Span | None:
    for span in spans:
        if day <= span.until and (span.after is None or day > span.after):
            return span
    return None


def _adjusted(bar: BarView, span: Span | None) -> BarView:
    if span is None:
        return bar
    opened, high, low, close = (
        _rounded(EXACT.multiply(price, span.price))
        for price in (bar.open, bar.high, bar.low, bar.close)
    )
    return bar._replace(
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=(bar.volume / span.volume).quantize(STEP, ROUND_HALF_UP),
        vwap=None if bar.vwap is None else _rounded(EXACT.multiply(bar.vwap, span.price)),
    )


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(STEP, ROUND_HALF_UP)


def _plain(ratio: Decimal) -> Decimal:
    """The whole number that `ratio`, or one over it, comes to within a ten-thousandth of it."""
    for value, back in ((ratio, False), (1 / ratio, True)):
        whole = value.to_integral_value()
        if whole >= 1 and abs(value - whole) < whole / 10_000:
            return (1 / whole).quantize(STEP) if back and whole != 1 else whole
    return ratio.quantize(AMOUNT_STEP, ROUND_HALF_UP)
