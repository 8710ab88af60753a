"""The instruments a socket may ask for, known to the process for a few seconds at a time.

Thousands of sockets that come back at once share one reading, and none waits for the next.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import connection

from core.cache import keep
from core.domain.fresh_cache import FreshCache
from marketdata import selectors
from marketdata.cache import INSTRUMENTS
from marketdata.models import Instrument

KNOWN_SECONDS = 5
_ALL: Final = "all"
"""They are read together, as one entry."""


class _Known(NamedTuple):
    by_class: dict[str, frozenset[str]]
    symbols: frozenset[str]


class KnownInstruments:
    """Symbols by asset class; a new instrument appears within KNOWN_SECONDS. Raises DatabaseError
    when nothing is known and the database is away.
    """

    def __init__(self) -> None:
        self._cache: FreshCache[str, _Known] = FreshCache(
            load=lambda key: _read(),
            load_in_thread=_read_in_thread,
            ttl_seconds=KNOWN_SECONDS,
            max_entries=1,
        )
        self.counts = self._cache.counts

    def __len__(self) -> int:
        return len(self._cache)

    async def symbols(self) -> frozenset[str]:
        return (await self._known()).symbols

    async def of_class(self, asset_class: str) -> frozenset[str]:
        return (await self._known()).by_class.get(asset_class, frozenset())

    def forget(self, key: str) -> None:
        """The instrument `key` is new or gone: ask the database again at the next question."""
        self.clear()

    def clear(self) -> None:
        self._cache.clear()

    async def _known(self) -> _Known:
        known = await self._cache.get_async(_ALL)
        assert known is not None, "a reading always has an answer"
        return known


def _read() -> _Known:
    rows = list(selectors.tradable_instruments().values_list("asset_class", "symbol"))
    by_class = {
        asset_class: frozenset(symbol for kind, symbol in rows if kind == asset_class)
        for asset_class in Instrument.AssetClass.values
    }
    return _Known(by_class, frozenset(symbol for _, symbol in rows))


def _read_in_thread(keys: Sequence[str]) -> dict[str, _Known]:
    try:
        return dict.fromkeys(keys, _read())
    finally:
        connection.close()  # this thread serves no request that would give the connection back


known_instruments = KnownInstruments()
keep(INSTRUMENTS, known_instruments)
