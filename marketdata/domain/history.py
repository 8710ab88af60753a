"""Simulated history that ends at a given price: bars drawn backwards from now, so that the chart
meets the market.

Used once, by seeding. Everything made here is labelled simulated where it is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import sqrt
from random import Random

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.bars import VWAP_STEP, Bar
from marketdata.domain.simulator import (
    MILLION,
    TRADES_PER_SECOND,
    Profile,
)

LONGEST_VOLATILITY_SECONDS = 6 * 3600
"""Longer bars move as if they had this length: daily history stays within what an investor has
seen.
"""
REVERSION_PER_BAR = 0.002


@dataclass(frozen=True, slots=True)
class HistorySpec:
    """Which bars to draw: `count` of `interval_ns`, the last of which ends at `end_ns` and
    `end_price`.
    """

    profile: Profile
    end_price: Decimal
    end_ns: int
    interval_ns: int
    count: int


def simulated_bars(spec: HistorySpec, random: Random) -> list[Bar]:
    """`spec.count` closed bars in time order; each opens where the one before closed."""
    return list(_backwards(spec, random))[::-1]


def _backwards(spec: HistorySpec, random: Random) -> Iterator[Bar]:
    grid = spec.profile.grid
    seconds = min(spec.interval_ns // NANOSECONDS_PER_SECOND, LONGEST_VOLATILITY_SECONDS)
    sigma = spec.profile.volatility_ppm / MILLION * sqrt(seconds)
    end_ticks = close = round(spec.end_price / grid.tick_size)
    for index in range(1, spec.count + 1):
        pull = (end_ticks - close) * REVERSION_PER_BAR
        opening = max(
            spec.profile.lowest_mid, close + round(pull + close * sigma * random.gauss(0.0, 1.0))
        )
        high = max(opening, close) + round(close * sigma * random.expovariate(2.5))
        low = max(1, min(opening, close) - round(close * sigma * random.expovariate(2.5)))
        trades = max(
            1,
            round(
                spec.interval_ns
                / NANOSECONDS_PER_SECOND
                * TRADES_PER_SECOND
                * random.uniform(0.6, 1.4)
            ),
        )
        lots = max(1, round(trades * spec.profile.typical_lots / 4 * random.uniform(0.7, 1.3)))
        yield Bar(
            symbol=grid.symbol,
            start_ns=spec.end_ns - index * spec.interval_ns,
            open=opening * grid.tick_size,
            high=high * grid.tick_size,
            low=low * grid.tick_size,
            close=close * grid.tick_size,
            volume=lots * grid.lot_size,
            trade_count=trades,
            vwap=((opening + high + low + close) * grid.tick_size / 4).quantize(
                VWAP_STEP, ROUND_HALF_EVEN
            ),
            is_closed=True,
        )
        close = opening
