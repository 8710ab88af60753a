"""Random sessions of a calendar for a market's history: days come, one is taken away at times."""

import random
from datetime import date, timedelta

from orders.domain.market_commands import SetSessions


class DaySwarm:
    """One seed's days, from the market's own stream of random numbers."""

    def __init__(self, calendar: str, start_ns: int, length_ns: int, draw: random.Random) -> None:
        self._calendar = calendar
        self._random = draw
        self._length_ns = length_ns
        self._day_end_ns = start_ns
        self._days = 0

    def first(self) -> SetSessions:
        """The first days, of which the first begins at once."""
        return self._more(draw_gap=False, now_ns=0)

    def draw(self, now_ns: int) -> SetSessions:
        """More days, or one day less."""
        if self._random.random() < 0.8:
            return self._more(draw_gap=True, now_ns=now_ns)
        return SetSessions(self._calendar, [], [self._day(self._days)], "r")

    def _more(self, *, draw_gap: bool, now_ns: int) -> SetSessions:
        """Some days after those that were told, with the market closed between them."""
        draw, told = self._random, []
        for _ in range(draw.choice((1, 2, 5))):
            gap = draw.randint(0, self._length_ns) if draw_gap else 0
            opens_ns = (max(self._day_end_ns, now_ns) + gap) // 1000 * 1000
            length_ns = draw.randint(1_000, self._length_ns) if draw_gap else self._length_ns
            self._day_end_ns = opens_ns + length_ns // 1000 * 1000
            self._days += 1
            told.append((self._day(self._days), opens_ns, self._day_end_ns))
            draw_gap = True
        return SetSessions(self._calendar, told, [], "r")

    def _day(self, number: int) -> str:
        return (date(2026, 1, 1) + timedelta(days=number)).isoformat()
