"""Lets operators pause a recording and change its speed while it runs (docs/feeds.md)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from marketdata.domain.plan import FeedOptionError
from marketdata.domain.ports import Controlled
from marketdata.feeds.sources import Source

logger = structlog.get_logger(__name__)

CONTROL_CHECK_SECONDS = 0.5


async def follow_controls(
    sources: Sequence[Source], read: Callable[[str], Awaitable[bytes | None]]
) -> None:
    """Obey what `read` says of each source that can be controlled, whenever it says something new.
    What cannot be obeyed is logged and leaves the source as it is.
    """
    controlled = {source.name: source.feed for source in sources}
    feeds = {name: feed for name, feed in controlled.items() if isinstance(feed, Controlled)}
    known: dict[str, bytes] = {}
    while feeds:
        for name, feed in feeds.items():
            asked = await read(name)
            if asked is None or asked == known.get(name):
                continue
            known[name] = asked
            try:
                feed.control(msgspec.json.decode(asked, type=dict))
            except (FeedOptionError, msgspec.DecodeError) as error:
                logger.warning("feed_control_refused", feed=name, error=str(error))
            else:
                logger.info("feed_controlled", feed=name, asked=asked.decode())
        await asyncio.sleep(CONTROL_CHECK_SECONDS)
    await asyncio.Event().wait()
