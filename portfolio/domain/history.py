"""An account's equity over time: what a page of it asks for, and profit from equity and deposits.

Samples are taken every SAMPLE_MINUTES; a frame shows the last one in it (docs/limits.md).
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Final

import msgspec

SAMPLE_MINUTES: Final = 5
FRAMES: Final = {
    "5Min": timedelta(minutes=5),
    "15Min": timedelta(minutes=15),
    "1H": timedelta(hours=1),
    "1D": timedelta(days=1),
}
MAX_FRAMES: Final = 10_000
"""Frames in one answer; a longer period wants a coarser timeframe."""

_PERIOD = re.compile(r"([1-9][0-9]{0,2})([DWMA])", re.ASCII)
_DAYS: Final = {"D": 1, "W": 7, "M": 30, "A": 365}
_RATIO = Decimal("0.00000001")


class DialectHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A PortfolioHistory: numbers, not strings, as the dialect has it."""

    timestamp: list[int]
    equity: list[Decimal]
    profit_loss: list[Decimal]
    profit_loss_pct: list[Decimal]
    base_value: Decimal
    timeframe: str
    cashflow: dict[str, list[Decimal]] = {}


@dataclass(frozen=True, slots=True)
class Sample:
    """The account's equity at an instant, and all cash that had come from outside until then."""

    at: datetime
    equity: Decimal
    deposited: Decimal


@dataclass(frozen=True, slots=True)
class CashMove:
    """Cash that came (above zero) or went at an instant."""

    at: datetime
    amount: Decimal


def period_days(text: str) -> int | None:
    """`1D`, `2W`, `3M`, `1A` in days; None when it is no period."""
    match = _PERIOD.fullmatch(text)
    return int(match[1]) * _DAYS[match[2]] if match else None


def in_frames(samples: Sequence[Sample], timeframe: str) -> list[Sample]:
    """The last sample of each frame, dated to the frame's start; oldest first."""
    last = {_frame_of(sample.at, timeframe): sample for sample in samples}
    return [
        Sample(datetime.fromtimestamp(start, UTC), sample.equity, sample.deposited)
        for start, sample in sorted(last.items())
    ]


def dialect_history(
    samples: Sequence[Sample],
    timeframe: str,
    *,
    resets_daily: bool = False,
    cashflow: Mapping[str, Sequence[CashMove]] = MappingProxyType({}),
) -> DialectHistory:
    """Profit is the change of equity since the first frame, of its day if it resets daily, less
    what came in from outside. Cash that moved in a frame that has no sample counts to the next.
    """
    frames = in_frames(samples, timeframe)
    bases = _bases(frames, resets_daily=resets_daily)
    profits = [
        frame.equity - base.equity - (frame.deposited - base.deposited)
        for frame, base in zip(frames, bases, strict=True)
    ]
    starts = [int(frame.at.timestamp()) for frame in frames]
    return DialectHistory(
        timestamp=starts,
        equity=[frame.equity for frame in frames],
        profit_loss=profits,
        profit_loss_pct=[
            _ratio(profit, base.equity) for profit, base in zip(profits, bases, strict=True)
        ],
        base_value=frames[0].equity if frames else Decimal(0),
        timeframe=timeframe,
        cashflow={kind: _flow(moves, starts, timeframe) for kind, moves in cashflow.items()},
    )


def _bases(frames: Sequence[Sample], *, resets_daily: bool) -> list[Sample]:
    """What each frame's profit is counted from: the first of all, or the first of its UTC day."""
    first: dict[object, Sample] = {}
    return [first.setdefault(frame.at.date() if resets_daily else None, frame) for frame in frames]


def _flow(moves: Sequence[CashMove], starts: Sequence[int], timeframe: str) -> list[Decimal]:
    """The sum of each frame."""
    sums = [Decimal(0)] * len(starts)
    for move in moves:
        index = bisect_left(starts, _frame_of(move.at, timeframe))
        if index < len(starts):
            sums[index] += move.amount
    return sums


def _frame_of(moment: datetime, timeframe: str) -> int:
    width = int(FRAMES[timeframe].total_seconds())
    return int(moment.timestamp()) // width * width


def _ratio(profit: Decimal, base: Decimal) -> Decimal:
    return (profit / base).quantize(_RATIO, ROUND_HALF_UP) if base else Decimal(0)
