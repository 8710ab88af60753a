"""The displayed depth of a simulated instrument: sizes stay at their price while the market moves
past them.

Counts in ticks and lots. Used by the simulator only.
"""

from random import Random

from marketdata.domain.values import DEPTH_LEVELS

REDRAWN_LEVELS = 3
"""How many levels a side change their size with each quote: enough to look alive, few enough to be
followed.
"""


class Depth:
    """One side of the book: lots by price, kept while the price stays among the displayed
    levels.
    """

    def __init__(self, *, step: int, direction: int, typical_lots: int, random: Random) -> None:
        self._step = step * direction
        self._typical_lots = typical_lots
        self._random = random
        self._lots: dict[int, int] = {}

    def move_to(self, best: int) -> list[tuple[int, int]]:
        """The levels (price in ticks, lots) that start at `best`, some of them freshly drawn."""
        prices = [best + self._step * index for index in range(DEPTH_LEVELS)]
        known = self._lots
        redrawn = {self._random.randrange(DEPTH_LEVELS) for _ in range(REDRAWN_LEVELS)}
        self._lots = {
            price: self._draw(index) if index in redrawn or price not in known else known[price]
            for index, price in enumerate(prices)
        }
        return list(self._lots.items())

    def best(self) -> tuple[int, int]:
        """The price and the lots of the best displayed level; call after `move_to`."""
        return next(iter(self._lots.items()))

    def take(self, lots: int) -> None:
        """Trade away `lots` of the best level; the next quote shows what is left."""
        price, displayed = self.best()
        if lots < displayed:
            self._lots[price] = displayed - lots
        else:
            del self._lots[price]

    def _draw(self, index: int) -> int:
        # Depth grows away from the touch; the exponential gives the few large orders that real
        # books show.
        share = (0.3 + self._random.expovariate(1.0)) * (1 + 0.15 * index)
        return max(1, round(self._typical_lots * share))
