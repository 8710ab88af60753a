"""A small picture of closes: where the line goes, in whole numbers, for the server to draw.

Pure, and without floats: a price is placed by whole division of its distance from the lowest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

WIDTH, HEIGHT, MARGIN = 600, 120, 6


@dataclass(frozen=True, slots=True)
class MiniChart:
    """A polyline in a box of WIDTH by HEIGHT, and the numbers that it shows."""

    points: str
    lowest: Decimal
    highest: Decimal
    first: Decimal
    last: Decimal

    @property
    def change_percent(self) -> Decimal | None:
        """From the first close to the last, two digits, half away from zero."""
        if not self.first:
            return None
        change = (self.last - self.first) / self.first * 100
        return change.quantize(Decimal("0.01"), ROUND_HALF_UP)


def mini_chart(closes: Sequence[Decimal]) -> MiniChart | None:
    """The line through the closes from left to right; None for fewer than two."""
    if len(closes) < 2:
        return None
    lowest, highest = min(closes), max(closes)
    room, span = HEIGHT - 2 * MARGIN, highest - lowest
    points = []
    for number, close in enumerate(closes):
        x = WIDTH * number // (len(closes) - 1)
        y = HEIGHT // 2 if not span else HEIGHT - MARGIN - int((close - lowest) * room / span)
        points.append(f"{x},{y}")
    return MiniChart(" ".join(points), lowest, highest, closes[0], closes[-1])
