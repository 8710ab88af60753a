"""The simulated feed: lets the domain's stochastic market run on the clock."""

import asyncio
from collections.abc import Sequence

from core.domain.clock import Clock
from marketdata.domain.plan import FeedInstrument
from marketdata.domain.simulator import InstrumentMarket, Profile, SimulatedMarket, first_trade_id
from marketdata.domain.values import Tick

POLL_INTERVAL_SECONDS = 0.02


class SimulatedFeed:
    """A market that never closes. The same seed and start give the same moves."""

    name = "simulated"

    def __init__(self, instruments: Sequence[FeedInstrument], seed: int, clock: Clock) -> None:
        start_ns = clock.now_ns()
        self._clock = clock
        self._market = SimulatedMarket(
            [
                InstrumentMarket(
                    Profile.of(instrument.grid, instrument.reference_price),
                    seed=str(seed),
                    start_ns=start_ns,
                    start_price=instrument.last_price,
                    first_trade_id=first_trade_id(start_ns),
                )
                for instrument in instruments
            ]
        )

    async def open(self) -> None:
        """There is nobody to connect to."""

    async def close(self) -> None:
        """There is nobody to hang up on."""

    async def receive(self) -> Sequence[Tick]:
        await asyncio.sleep(POLL_INTERVAL_SECONDS)
        return self._market.advance(self._clock.now_ns())
