"""The simulated feed: lets the domain's stochastic market run on the clock."""

import asyncio
from collections.abc import Sequence

from marketdata.domain.plan import FeedSetup
from marketdata.domain.simulator import InstrumentMarket, Profile, SimulatedMarket, first_trade_id
from marketdata.domain.values import Tick

POLL_INTERVAL_SECONDS = 0.02


class SimulatedFeed:
    """A market that never closes. The same seed and start give the same moves."""

    def __init__(self, setup: FeedSetup) -> None:
        """An instrument that nobody has priced yet is left out: nobody knows where to start."""
        start_ns = setup.clock.now_ns()
        self.name = setup.name
        self._clock = setup.clock
        self._market = SimulatedMarket(
            [
                InstrumentMarket(
                    Profile.of(instrument.grid, instrument.reference_price),
                    seed=str(setup.seed),
                    start_ns=start_ns,
                    start_price=instrument.last_price,
                    first_trade_id=first_trade_id(start_ns),
                )
                for instrument in setup.instruments
                if instrument.reference_price is not None and instrument.last_price is not None
            ]
        )

    async def open(self) -> None:
        """There is nobody to connect to."""

    async def close(self) -> None:
        """There is nobody to hang up on."""

    async def receive(self) -> Sequence[Tick]:
        await asyncio.sleep(POLL_INTERVAL_SECONDS)
        return self._market.advance(self._clock.now_ns())
