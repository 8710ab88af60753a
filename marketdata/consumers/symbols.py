"""The instruments a socket may ask for, known to the process for a few seconds at a time."""

import asyncio

from channels.db import database_sync_to_async

from core.cache import keep
from core.domain.cache_counts import CacheCounts
from marketdata import selectors
from marketdata.cache import INSTRUMENTS
from marketdata.models import Instrument

KNOWN_SECONDS = 5


class KnownInstruments:
    """Symbols by asset class; a new instrument appears within KNOWN_SECONDS."""

    def __init__(self) -> None:
        self.counts = CacheCounts()
        self._by_class: dict[str, frozenset[str]] = {}
        self._read_at: float | None = None
        self._changes = 0

    async def symbols(self) -> frozenset[str]:
        await self._refresh()
        return frozenset().union(*self._by_class.values())

    async def of_class(self, asset_class: str) -> frozenset[str]:
        await self._refresh()
        return self._by_class.get(asset_class, frozenset())

    def __len__(self) -> int:
        return sum(map(len, self._by_class.values()))

    def forget(self, key: str) -> None:
        """Ask the database again at the next question: the instrument `key` is new or gone."""
        self.clear()

    def clear(self) -> None:
        self._changes += 1
        self._read_at = None

    async def _refresh(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._read_at is not None and now - self._read_at < KNOWN_SECONDS:
            self.counts.hits += 1
            return
        self.counts.misses += 1
        changes = self._changes
        self._by_class = await database_sync_to_async(_read)()
        # What was forgotten while it was read is asked for again.
        self._read_at = now if changes == self._changes else None


def _read() -> dict[str, frozenset[str]]:
    rows = list(selectors.tradable_instruments().values_list("asset_class", "symbol"))
    return {
        asset_class: frozenset(symbol for kind, symbol in rows if kind == asset_class)
        for asset_class in Instrument.AssetClass.values
    }


known_instruments = KnownInstruments()
keep(INSTRUMENTS, known_instruments)
