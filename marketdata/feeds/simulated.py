"""The simulated feed: lets the domain's stochastic market run on the clock."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from marketdata.domain.plan import FeedOptionError, FeedSetup
from marketdata.domain.scenarios import COURSES, Scenario
from marketdata.domain.simulator import (
    InstrumentMarket,
    Profile,
    SimulatedMarket,
    first_trade_id,
)
from marketdata.domain.values import Tick

POLL_INTERVAL_SECONDS = 0.02
FASTEST: Final = 100
"""Seven instruments tell 50 ticks a second at their own pace, and 5,000 at this one."""


class SimulatedFeed:
    """A market that never closes. The same seed, scenario and start give the same moves."""

    def __init__(self, setup: FeedSetup) -> None:
        """An instrument that nobody has priced yet is left out: nobody knows where to start.

        FeedOptionError for a scenario or a speed that there is not.
        """
        scenario, self._speed = _read(setup.options)
        self.name = setup.name
        self._clock = setup.clock
        self._start_ns = start_ns = setup.clock.now_ns()
        self._market = SimulatedMarket(
            [
                InstrumentMarket(
                    Profile.of(instrument.grid, instrument.reference_price),
                    seed=str(setup.seed),
                    start_ns=start_ns,
                    start_price=instrument.last_price,
                    first_trade_id=first_trade_id(start_ns),
                    course=COURSES[scenario],
                )
                for instrument in setup.instruments
                if instrument.reference_price is not None and instrument.last_price is not None
            ],
            speed=self._speed,
        )

    async def open(self) -> None:
        """There is nobody to connect to."""

    async def close(self) -> None:
        """There is nobody to hang up on."""

    async def receive(self) -> Sequence[Tick]:
        await asyncio.sleep(POLL_INTERVAL_SECONDS)
        return self.advance(self._clock.now_ns())

    def advance(self, now_ns: int) -> list[Tick]:
        """What happens until `now_ns`. A market that runs faster has its times squeezed."""
        if self._speed == 1:
            return self._market.advance(now_ns)
        start_ns = self._start_ns
        ticks = self._market.advance(start_ns + (now_ns - start_ns) * self._speed)
        return [
            replace(tick, t_ns=start_ns + (tick.t_ns - start_ns) // self._speed) for tick in ticks
        ]


def _read(options: Mapping[str, Any]) -> tuple[Scenario, int]:  # Any: JSON of an operator
    unknown = sorted(set(options) - {"scenario", "speed"})
    if unknown:
        raise FeedOptionError(
            f"There is no option {unknown[0]!r}; the simulated market takes scenario and speed."
        )
    scenario, speed = options.get("scenario", Scenario.CALM), options.get("speed", 1)
    if scenario not in list(Scenario):
        raise FeedOptionError(f"The option 'scenario' must be one of {', '.join(Scenario)}.")
    if isinstance(speed, bool) or not isinstance(speed, int) or not 1 <= speed <= FASTEST:
        raise FeedOptionError(f"The option 'speed' must be a whole number from 1 to {FASTEST}.")
    return Scenario(scenario), speed
