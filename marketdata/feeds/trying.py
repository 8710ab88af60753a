"""Opens a feed for some seconds and says what it told: does the configuration work?

Outside of the feed process; nothing is published or stored.
"""

import asyncio
from dataclasses import dataclass, field

from marketdata.domain.plan import FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.values import Quote, Trade
from marketdata.feeds import feed_factory

OPEN_SECONDS = 30


@dataclass(slots=True)
class Heard:
    """What a feed told of one instrument: how many of each, and the last."""

    quotes: int = 0
    trades: int = 0
    quote: Quote | None = None
    trade: Trade | None = None


@dataclass(slots=True)
class Trial:
    """How a trial went; `error` says why the feed is away, empty when it is there."""

    error: str = ""
    heard: dict[str, Heard] = field(default_factory=dict)


async def try_feed(adapter: str, setup: FeedSetup, seconds: float) -> Trial:
    """Open, listen for `seconds` and close. FeedOptionError when the options are wrong."""
    feed = feed_factory(adapter)(setup)
    trial = Trial(heard={one.grid.symbol: Heard() for one in setup.instruments})
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await feed.open()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            for told in await feed.receive():
                _count(trial.heard[told.symbol], told)
    except FeedAwayError as error:
        trial.error = str(error)
    except TimeoutError:
        trial.error = "the source does not answer in time"
    finally:
        await feed.close()
    return trial


def _count(heard: Heard, told: object) -> None:
    if isinstance(told, Quote):
        heard.quotes, heard.quote = heard.quotes + 1, told
    elif isinstance(told, Trade):
        heard.trades, heard.trade = heard.trades + 1, told
