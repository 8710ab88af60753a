"""An account's equity over time: what a page of it asks for, and profit from equity and deposits.

Samples are taken every SAMPLE_MINUTES; a frame shows the last one in it (docs/limits.md).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
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


@dataclass(frozen=True, slots=True)
class Sample:
    """The account's equity at an instant, and all cash that had come from outside until then."""

    at: datetime
    equity: Decimal
    deposited: Decimal


def period_days(text: str) -> int | None:
    """`1D`, `2W`, `3M`, `1A` in days; None when it is no period."""
    match = _PERIOD.fullmatch(text)
    return int(match[1]) * _DAYS[match[2]] if match else None


def in_frames(samples: Sequence[Sample], timeframe: str) -> list[Sample]:
    """The last sample of each frame, dated to the frame's start; oldest first."""
    width = int(FRAMES[timeframe].total_seconds())
    last: dict[int, Sample] = {}
    for sample in samples:
        last[int(sample.at.timestamp()) // width * width] = sample
    return [
        Sample(datetime.fromtimestamp(start, UTC), sample.equity, sample.deposited)
        for start, sample in sorted(last.items())
    ]


def dialect_history(samples: Sequence[Sample], timeframe: str) -> DialectHistory:
    """Profit is the change of equity since the first frame less what came in from outside."""
    frames = in_frames(samples, timeframe)
    base = frames[0].equity if frames else Decimal(0)
    profits = [frame.equity - base - (frame.deposited - frames[0].deposited) for frame in frames]
    return DialectHistory(
        timestamp=[int(frame.at.timestamp()) for frame in frames],
        equity=[frame.equity for frame in frames],
        profit_loss=profits,
        profit_loss_pct=[_ratio(profit, base) for profit in profits],
        base_value=base,
        timeframe=timeframe,
    )


def _ratio(profit: Decimal, base: Decimal) -> Decimal:
    return (profit / base).quantize(_RATIO, ROUND_HALF_UP) if base else Decimal(0)
