"""The picture of an order's life, and of those that it replaced or that replaced it: one lane each
on one axis of time, with how much was filled and a mark for whatever happened.

Pure geometry in whole per mille of the width; templates and scripts only draw it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

LANE_HEIGHT: Final = 46
BAR_HEIGHT: Final = 14
BAR_TOP: Final = 24
LEFT, RIGHT = 12, 988
"""Per mille of the width between which time runs: a mark at the edge is not cut off."""

LEAST_SPAN_NS: Final = 1_000_000
MARK_GAP: Final = 30
"""Marks of one order stand at least so far apart, also those of one instant: each can be seen."""

SHAPES: Final = {
    "begin": "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
    "fill": "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
    "trigger": "M0,-6L6,5L-6,5z",
    "change": "M0,-6L6,0L0,6L-6,0z",
    "end": "M-5,-5L5,-5L5,5L-5,5z",
}
"""What each kind of mark looks like around its point: no two kinds differ by colour alone but the
beginning, which is hollow.
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened: one of SHAPES, what is said of it, and what had filled by then as a
    part of the whole.
    """

    at_ns: int
    kind: str
    text: str
    filled: Decimal


@dataclass(frozen=True, slots=True)
class Life:
    """One order from its acceptance on; `end_ns` is None while it is open."""

    name: str
    is_chosen: bool
    start_ns: int
    end_ns: int | None
    moments: Sequence[Moment]


@dataclass(frozen=True, slots=True)
class Box:
    x: str
    width: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Mark:
    x: str
    y: int
    kind: str
    shape: str
    text: str


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    is_chosen: bool
    is_open: bool
    label_y: int
    bar: Box
    filled: Sequence[Box]
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Picture:
    height: int
    lanes: Sequence[Lane]


def draw(lives: Sequence[Life], now_ns: int) -> Picture:
    """The lanes of `lives`, the first on top; what is open reaches to now."""
    start = min(life.start_ns for life in lives)
    ends = [now_ns if life.end_ns is None else life.end_ns for life in lives]
    axis = _Axis(start, max(max(ends) - start, LEAST_SPAN_NS))
    lanes = [
        _lane(life, end, axis, row * LANE_HEIGHT)
        for row, (life, end) in enumerate(zip(lives, ends, strict=True))
    ]
    return Picture(height=len(lanes) * LANE_HEIGHT, lanes=lanes)


@dataclass(frozen=True, slots=True)
class _Axis:
    start_ns: int
    span_ns: int

    def place(self, at_ns: int) -> int:
        """Per mille of the width."""
        run = min(max(at_ns - self.start_ns, 0), self.span_ns)
        return LEFT + (RIGHT - LEFT) * run // self.span_ns


def _lane(life: Life, end_ns: int, axis: _Axis, top: int) -> Lane:
    moments = sorted(life.moments, key=lambda moment: moment.at_ns)
    places = _apart([axis.place(moment.at_ns) for moment in moments])
    first = min([axis.place(life.start_ns), *places[:1]])
    last = max([axis.place(end_ns), *places[-1:]])
    middle = top + BAR_TOP + BAR_HEIGHT // 2
    return Lane(
        name=life.name,
        is_chosen=life.is_chosen,
        is_open=life.end_ns is None,
        label_y=top + 15,
        bar=Box(_percent(first), _percent(last - first), top + BAR_TOP, BAR_HEIGHT),
        filled=_filled(moments, [*places, last], top + BAR_TOP),
        marks=[
            Mark(_percent(place), middle, moment.kind, SHAPES[moment.kind], moment.text)
            for moment, place in zip(moments, places, strict=True)
        ],
    )


def _apart(places: Sequence[int]) -> list[int]:
    """The same places in the same order, moved as far as it takes for each to be seen."""
    gap = min(MARK_GAP, (RIGHT - LEFT) // max(len(places) - 1, 1))
    spread: list[int] = []
    for place in places:
        spread.append(max(place, spread[-1] + gap) if spread else place)
    limit = RIGHT
    for number in range(len(spread) - 1, -1, -1):
        spread[number] = min(spread[number], limit)
        limit = spread[number] - gap
    return spread


def _filled(moments: Sequence[Moment], places: Sequence[int], top: int) -> list[Box]:
    """A step from each moment to the next in which something was filled: as high as how much."""
    boxes: list[Box] = []
    for number, moment in enumerate(moments):
        first, last = places[number], places[number + 1]
        if moment.filled > 0 and last > first:
            height = max(int(BAR_HEIGHT * min(moment.filled, Decimal(1))), 1)
            boxes.append(
                Box(_percent(first), _percent(last - first), top + BAR_HEIGHT - height, height)
            )
    return boxes


def _percent(per_mille: int) -> str:
    return f"{per_mille // 10}.{per_mille % 10}%"
