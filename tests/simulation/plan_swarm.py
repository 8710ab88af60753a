"""Random plans of market states for a market's history, from a stream of random numbers of their
own, so that a market without plans stays as it was.
"""

import random
from collections.abc import Sequence

from orders.domain.commands import AnyCommand
from orders.domain.market_commands import PlanMarketState, SetBands, WithdrawMarketPlan

STATES = ("HALTED", "CANCEL_ONLY", "POST_ONLY", "AUCTION", "AUCTION")
STORMY = 1_000_000
"""Seeds above this one have plans, bands and margin calls; those below stay as they were."""

LIMITED = 2_000_000
"""Seeds above this one have many limits instead, and more orders of the kinds that meet them in
their own ways: of a value, with a hidden part, in groups.
"""

FAR_NS = 500 * 86_400 * 10**9


class PlanSwarm:
    """One seed's plans. Most are short; a few make no sense, or are told again."""

    def __init__(self, seed: int, symbols: Sequence[str], wait_max_ns: int) -> None:
        self._random = random.Random(f"plans {seed}")
        self._symbols = symbols
        self._reach_ns = 4 * wait_max_ns
        self.share = self._random.choice((0.01, 0.05)) if STORMY < seed <= LIMITED else 0.0
        self._number = 0
        self._band_share = self._random.choice((0.0, 0.3, 0.6))
        self._is_first = self.share > 0 and self._band_share > 0

    def draw(self, now_ns: int) -> AnyCommand | None:
        """A command of ours, if it is our turn."""
        draw = self._random
        if self._is_first and self.share:
            self._is_first = False
            return self._bands()
        if draw.random() >= self.share:
            return None
        if draw.random() < self._band_share:
            return self._bands()
        if self._number and draw.random() < 0.2:
            number = self._number - draw.randint(0, min(4, self._number))
            return WithdrawMarketPlan(number, "why", "r")
        number = self._number + draw.choice((0, *[1] * 8, 2))
        self._number = max(self._number, number)
        from_ns = now_ns + draw.randint(-self._reach_ns // 2, self._reach_ns)
        until_ns = from_ns + draw.randint(1, self._reach_ns)
        nonsense = draw.random()
        if nonsense < 0.03:
            from_ns, until_ns = until_ns, from_ns
        elif nonsense < 0.06:
            from_ns, until_ns = from_ns + FAR_NS, until_ns + FAR_NS
        symbol = "NONE" if draw.random() < 0.03 else draw.choice(self._symbols)
        is_endless = draw.random() < 0.05
        return PlanMarketState(
            number,
            symbol,
            draw.choice(STATES),
            from_ns,
            None if is_endless else until_ns,
            "why",
            "r",
        )

    def _bands(self) -> SetBands:
        """Narrow ones mostly, in which a few ticks are too many."""
        draw = self._random
        symbol = "NONE" if draw.random() < 0.03 else draw.choice(self._symbols)
        return SetBands(
            symbol,
            "r",
            draw.choice((None, None, 10, 500)),
            draw.choice((0, 20, 20, 500, 500, 2_000, None)),
            draw.choice((None, 1, 60, 86_400)),
            draw.choice((None, "AUCTION", "HALTED")),
            draw.choice((1, 1, 5, 60)),
        )
