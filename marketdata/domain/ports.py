"""What the feed process needs from outside, as protocols: a source of ticks and a taker of
quotes; and what a backfill asks for the past.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, runtime_checkable

from marketdata.domain.bars import Bar
from marketdata.domain.timeframes import Timeframe
from marketdata.domain.values import Tick


class FeedAwayError(OSError):
    """The source cannot be reached, or has hung up. The feed process opens it again later."""


class Gap(NamedTuple):
    """The source's own numbering shows that `missed` of its messages never came. `symbol` is empty
    when it numbers all instruments together.
    """

    missed: int
    symbol: str = ""


Told = Tick | Bar | Gap
"""What a source tells: ticks, closed minutes where it has no trades to make them of, and what it
knows to have missed.
"""


class Feed(Protocol):
    """A source of ticks. Each adapter in `marketdata.feeds` is one.

    `open` and `receive` raise FeedAwayError when the source is away; after that `open` is called
    again, and whatever was subscribed is subscribed anew. Errors of the kinds that the runner names
    count as such; one of another kind is a mistake of ours and ends the process.
    """

    name: str

    async def open(self) -> None:
        """Connect, sign in and subscribe to every instrument of the feed."""
        ...

    async def receive(self) -> Sequence[Told]:
        """What came next, as it came; waits for it (a second at most, so that clocks keep
        ticking). An empty answer says that the source is there and has nothing to tell.
        """
        ...

    async def close(self) -> None:
        """Hang up; never raises."""
        ...


class Historian(Protocol):
    """Knows the past of the instruments that a feed was set up with. HISTORIANS in
    `marketdata.feeds` names one for each adapter that has any.
    """

    name: str

    def bars(
        self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime
    ) -> AsyncIterator[Sequence[Bar]]:
        """Closed bars that begin at `start` or later and before `end`, oldest first, page by page.
        Raises FeedAwayError when the source cannot be asked or gives what cannot be right.
        """
        ...


@runtime_checkable
class Controlled(Protocol):
    """A feed that operators may pause and speed up: a recording, not a market."""

    def control(self, asked: Mapping[str, Any]) -> None:  # Any: JSON of an operator
        """Obey `asked`. Raises FeedOptionError, with a sentence, for what cannot be."""
        ...

    def progress(self) -> dict[str, object]:
        """Where it is, as members of its status."""
        ...


class QuoteSink(Protocol):
    """Where the street's liquidity goes: the order engine, named by the setting MARKET_SINK.

    Every method raises OSError (ConnectionError and TimeoutError are such) when the other side is
    away; the feed then connects again with growing pauses and goes on with the newest quotes.
    `t_ns` is when a price held, by the machine's clock and never ahead of it.
    """

    async def connect(self) -> None: ...

    async def quote(
        self,
        symbol: str,
        seq: int,
        bids: Sequence[tuple[Decimal, Decimal]],
        asks: Sequence[tuple[Decimal, Decimal]],
        t_ns: int,
    ) -> None: ...

    async def trade(
        self, symbol: str, price: Decimal, size: Decimal, side: str, t_ns: int
    ) -> None: ...

    async def close(self) -> None: ...
