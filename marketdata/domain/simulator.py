"""The simulated market: a seeded stochastic price per instrument, with depth, quotes and trades
that agree.

Event driven: every instrument knows when its next quote and trade happen, so the market is the same
whatever the steps it is asked in. State is whole numbers; random floats are rounded at once. No
wall clock in here.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import log, sqrt
from random import Random

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.depth import Depth
from marketdata.domain.scenarios import CALM, Course, push_ppm, silent_until
from marketdata.domain.values import DEPTH_LEVELS, Aggressor, Grid, Level, Quote, Tick, Trade

QUOTES_PER_SECOND = 6
TRADES_PER_SECOND = 1.5
MICROTICKS_PER_TICK = 1_000_000
MILLION = 1_000_000
DAY_NS = 86_400 * NANOSECONDS_PER_SECOND

EQUITY_VOLATILITY_PPM = 70
CRYPTO_VOLATILITY_PPM = 110
"""Standard deviation of a one-second move, in millionths of the price (70 is 2 % over a day of 24
hours).
"""
VOLATILITY_REVERSION_SECONDS = 300
VOLATILITY_OF_VOLATILITY = 0.05
ANCHOR_HALF_LIFE_SECONDS = 12 * 3600
ANCHOR_PULL_PER_DAY = 10
"""Each midnight a tenth of the way back to the reference price: weeks of running stay near it."""
SPREAD_PPM = 60
TYPICAL_LEVEL_NOTIONAL = 30_000
IMPACT_PPM = 15
"""How far a trade pushes the price, in millionths."""
LONGEST_PAUSE_NS = 5 * NANOSECONDS_PER_SECOND
"""After a longer silence (a suspended machine) the market goes on from now; it never invents the
missed hours.
"""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one instrument's market is like, in ticks and lots."""

    grid: Grid
    reference_ticks: int
    volatility_ppm: int
    spread_steps: int
    level_step: int
    typical_lots: int

    @classmethod
    def of(cls, grid: Grid, reference_price: Decimal) -> "Profile":
        """A plausible market around `reference_price` (rounded to the tick)."""
        reference = max(1, round(reference_price / grid.tick_size))
        spread = max(1, reference * SPREAD_PPM // MILLION)
        step = _round_step(spread // 3)
        return cls(
            grid=grid,
            reference_ticks=reference,
            volatility_ppm=CRYPTO_VOLATILITY_PPM if grid.is_crypto else EQUITY_VOLATILITY_PPM,
            spread_steps=max(1, spread // step),
            level_step=step,
            typical_lots=max(1, int(TYPICAL_LEVEL_NOTIONAL / reference_price / grid.lot_size)),
        )

    def under(self, course: Course) -> "Profile":
        """The profile as a scenario changes it."""
        return replace(
            self,
            volatility_ppm=max(1, self.volatility_ppm * course.volatility_percent // 100),
            spread_steps=max(1, self.spread_steps * course.spread_percent // 100),
            typical_lots=max(1, self.typical_lots * course.size_percent // 100),
        )

    @property
    def lowest_mid(self) -> int:
        """Ten levels must fit between the price and zero."""
        return (DEPTH_LEVELS + self.spread_steps * 4 + 2) * self.level_step


def _round_step(ticks: int) -> int:
    """The largest of 1, 2, 5, 10, 20, 50 ... that is not above `ticks`: levels at prices people
    would choose.
    """
    step = 1
    for factor in (2, 5, 10):
        if factor <= ticks:
            step = factor
    return step if ticks < 20 else 10 * _round_step(ticks // 10)


class InstrumentMarket:
    """The market of one instrument. `next_ns` says when its next event is due; `step` makes it
    happen.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        seed: str,
        start_ns: int,
        start_price: Decimal,
        first_trade_id: int,
        course: Course = CALM,
    ) -> None:
        self._profile = profile = profile.under(course)
        self._course = course
        self._start_ns = start_ns
        # A simulated price is no secret: S311 asks for a generator that cannot be repeated.
        self._random = Random(f"{seed}:{profile.grid.symbol}")  # noqa: S311
        self._mid = self._bounded(round(start_price / profile.grid.tick_size * MICROTICKS_PER_TICK))
        self._anchor = self._mid
        self._day = start_ns // DAY_NS
        self._volatility_ppm = profile.volatility_ppm
        self._clock_ns = start_ns
        self._trade_id = first_trade_id
        self._bids = self._depth(direction=-1)
        self._asks = self._depth(direction=+1)
        self._next_quote_ns = start_ns
        self._next_trade_ns = self._awake(start_ns + self._wait(TRADES_PER_SECOND))

    @property
    def next_ns(self) -> int:
        return min(self._next_quote_ns, self._next_trade_ns)

    def step(self) -> Tick:
        """The next event: a trade only ever follows a quote that shows its price."""
        if self._next_quote_ns <= self._next_trade_ns:
            return self._quote(self._next_quote_ns)
        return self._trade(self._next_trade_ns)

    def resume(self, now_ns: int) -> None:
        """Go on at `now_ns` with the price of before, leaving out the time between."""
        self._clock_ns = now_ns
        self._next_quote_ns = now_ns
        self._next_trade_ns = now_ns + self._wait(TRADES_PER_SECOND)

    def _depth(self, direction: int) -> Depth:
        return Depth(
            step=self._profile.level_step,
            direction=direction,
            typical_lots=self._profile.typical_lots,
            random=self._random,
        )

    def _wait(self, per_second: float) -> int:
        per_second = per_second * self._course.activity_percent / 100
        return 1 + round(self._random.expovariate(per_second) * NANOSECONDS_PER_SECOND)

    def _awake(self, t_ns: int) -> int:
        """`t_ns`, or the end of the silence that it lies in."""
        if self._course.silence is None:
            return t_ns
        second = (t_ns - self._start_ns) / NANOSECONDS_PER_SECOND
        until = silent_until(self._course, second)
        if until is None:
            return t_ns
        return self._start_ns + round(until * NANOSECONDS_PER_SECOND)

    def _quote(self, now_ns: int) -> Quote:
        self._walk(now_ns)
        self._next_quote_ns = self._awake(now_ns + self._wait(QUOTES_PER_SECOND))
        step = self._profile.level_step
        calm = self._volatility_ppm / self._profile.volatility_ppm
        spread_steps = max(
            1, round(self._profile.spread_steps * calm * self._random.uniform(0.6, 1.4))
        )
        best_bid = (self._mid // MICROTICKS_PER_TICK - spread_steps * step // 2) // step * step
        return Quote(
            symbol=self._profile.grid.symbol,
            bids=self._levels(self._bids.move_to(best_bid)),
            asks=self._levels(self._asks.move_to(best_bid + spread_steps * step)),
            t_ns=now_ns,
        )

    def _levels(self, depth: Sequence[tuple[int, int]]) -> tuple[Level, ...]:
        grid = self._profile.grid
        return tuple(Level(ticks * grid.tick_size, lots * grid.lot_size) for ticks, lots in depth)

    def _trade(self, now_ns: int) -> Trade:
        is_buy = self._random.random() < 0.5
        depth = self._asks if is_buy else self._bids
        ticks, displayed = depth.best()
        wanted = max(1, round(self._random.expovariate(1.0) * self._profile.typical_lots / 4))
        lots = min(wanted, displayed)
        depth.take(lots)
        self._next_trade_ns = self._awake(now_ns + self._wait(TRADES_PER_SECOND))
        # The quote that shows what the trade has left.
        self._next_quote_ns = self._awake(now_ns + 1_000_000)
        impact = self._mid * IMPACT_PPM // MILLION
        self._mid = self._bounded(self._mid + (impact if is_buy else -impact))
        trade_id, self._trade_id = self._trade_id, self._trade_id + 1
        grid = self._profile.grid
        return Trade(
            symbol=grid.symbol,
            trade_id=trade_id,
            price=ticks * grid.tick_size,
            size=lots * grid.lot_size,
            side=Aggressor.BUY if is_buy else Aggressor.SELL,
            t_ns=now_ns,
        )

    def _walk(self, now_ns: int) -> None:
        """Move volatility and price on to `now_ns`: an Ornstein-Uhlenbeck volatility, a price
        pulled to its anchor.
        """
        seconds = (now_ns - self._clock_ns) / NANOSECONDS_PER_SECOND
        self._follow_course(self._clock_ns, now_ns)
        self._clock_ns = now_ns
        self._anchor_day(now_ns)
        usual = self._profile.volatility_ppm
        volatility = self._volatility_ppm
        volatility += round(
            (usual - volatility) * min(1.0, seconds / VOLATILITY_REVERSION_SECONDS)
            + volatility * VOLATILITY_OF_VOLATILITY * sqrt(seconds) * self._random.gauss(0.0, 1.0)
        )
        self._volatility_ppm = min(3 * usual, max(usual // 3, volatility))
        pull = (self._anchor - self._mid) * seconds * log(2) / ANCHOR_HALF_LIFE_SECONDS
        shock = (
            self._mid
            * self._volatility_ppm
            / MILLION
            * sqrt(seconds)
            * self._random.gauss(0.0, 1.0)
        )
        self._mid = self._bounded(self._mid + round(pull + shock))

    def _follow_course(self, before_ns: int, now_ns: int) -> None:
        """Move the price, and what it is pulled to, as the scenario says."""
        if self._course is CALM:
            return
        begin, end = (
            (t_ns - self._start_ns) / NANOSECONDS_PER_SECOND for t_ns in (before_ns, now_ns)
        )
        push = push_ppm(self._course, begin, end)
        self._mid = self._bounded(self._mid + self._mid * push // MILLION)
        self._anchor = self._bounded(self._anchor + self._anchor * push // MILLION)

    def _anchor_day(self, now_ns: int) -> None:
        day = now_ns // DAY_NS
        if day != self._day:
            self._day = day
            reference = self._profile.reference_ticks * MICROTICKS_PER_TICK
            self._anchor = self._mid + (reference - self._mid) // ANCHOR_PULL_PER_DAY

    def _bounded(self, mid: int) -> int:
        reference = self._profile.reference_ticks * MICROTICKS_PER_TICK
        floor = max(self._profile.lowest_mid * MICROTICKS_PER_TICK, reference // 2)
        return min(max(mid, floor), max(reference * 2, floor))


class SimulatedMarket:
    """All simulated instruments on one clock. Same seed, same start, same instruments: same
    events.
    """

    def __init__(self, markets: Sequence[InstrumentMarket], *, speed: int = 1) -> None:
        """`speed`: how many times as fast as ours the clock runs that `advance` is told."""
        self._markets = list(markets)
        self._speed = speed
        self._due = [(market.next_ns, index) for index, market in enumerate(self._markets)]
        heapq.heapify(self._due)

    def advance(self, now_ns: int) -> list[Tick]:
        """Every event up to and including `now_ns`, in time order."""
        if self._due and now_ns - self._due[0][0] > LONGEST_PAUSE_NS * self._speed:
            self._resume(now_ns)
        ticks: list[Tick] = []
        while self._due and self._due[0][0] <= now_ns:
            _, index = self._due[0]
            market = self._markets[index]
            ticks.append(market.step())
            heapq.heapreplace(self._due, (market.next_ns, index))
        return ticks

    def _resume(self, now_ns: int) -> None:
        for market in self._markets:
            market.resume(now_ns)
        self._due = [(market.next_ns, index) for index, market in enumerate(self._markets)]
        heapq.heapify(self._due)


def first_trade_id(start_ns: int) -> int:
    """A number above all that an earlier start gave out (under a thousand trades a millisecond),
    exact in JavaScript.
    """
    return start_ns // 1_000_000 * 1_000
