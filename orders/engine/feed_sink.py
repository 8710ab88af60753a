"""Carries the feed's quotes and trades into the engine: the marketdata app's QuoteSink port."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from orders.domain.commands import PrintStreetTrade, QuoteStreet
from orders.domain.values import Side
from orders.engine.client import AsyncEngineClient

Level = tuple[Decimal, Decimal]


class EngineFeedSink:
    """Named by settings.MARKET_SINK. Raises EngineUnavailableError while the engine is away."""

    def __init__(self) -> None:
        self._client = AsyncEngineClient(
            Path(settings.ENGINE_SOCKET), settings.ENGINE_REPLY_TIMEOUT_SECONDS
        )

    async def connect(self) -> None:
        """Nothing to prepare: the client connects with the first message."""

    async def quote(
        self, symbol: str, seq: int, bids: Sequence[Level], asks: Sequence[Level], t_ns: int
    ) -> None:
        await self._client.tell(QuoteStreet(symbol, bids, asks, t_ns))

    async def trade(self, symbol: str, price: Decimal, size: Decimal, side: str, t_ns: int) -> None:
        await self._client.tell(PrintStreetTrade(symbol, price, size, Side(side), t_ns))

    async def close(self) -> None:
        await self._client.close()
