"""The instruments a socket may ask for, known to the process for a few seconds at a time."""

import asyncio

from channels.db import database_sync_to_async

from marketdata import selectors
from marketdata.models import Instrument

KNOWN_SECONDS = 5


class KnownInstruments:
    """Symbols by asset class; a new instrument appears within KNOWN_SECONDS."""

    def __init__(self) -> None:
        self._by_class: dict[str, frozenset[str]] = {}
        self._read_at: float | None = None

    async def symbols(self) -> frozenset[str]:
        await self._refresh()
        return frozenset().union(*self._by_class.values())

    async def of_class(self, asset_class: str) -> frozenset[str]:
        await self._refresh()
        return self._by_class.get(asset_class, frozenset())

    def forget(self) -> None:
        """Ask the database again at the next question."""
        self._read_at = None

    async def _refresh(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._read_at is not None and now - self._read_at < KNOWN_SECONDS:
            return
        self._by_class = await database_sync_to_async(_read)()
        self._read_at = now


def _read() -> dict[str, frozenset[str]]:
    rows = list(selectors.tradable_instruments().values_list("asset_class", "symbol"))
    return {
        asset_class: frozenset(symbol for kind, symbol in rows if kind == asset_class)
        for asset_class in Instrument.AssetClass.values
    }


known_instruments = KnownInstruments()
