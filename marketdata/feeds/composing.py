"""Makes the sources and the chain of a feed process out of configured feeds. One that cannot be
made is a source that is away, and says why; the others run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from core.domain.clock import NANOSECONDS_PER_SECOND, Clock
from marketdata.domain.plan import (
    OF_EVERY_FEED,
    Credentials,
    FeedInstrument,
    FeedOptionError,
    FeedSetup,
)
from marketdata.domain.ports import Feed
from marketdata.domain.provider_chain import ProviderChain, Route
from marketdata.domain.tick_checks import TickChecks
from marketdata.feeds import WITHOUT_CONNECTION, feed_factory
from marketdata.feeds.sources import CHAIN_SECONDS, SILENCE_SECONDS, Source
from marketdata.feeds.unusable import UnusableFeed

logger = structlog.get_logger(__name__)

LONGEST_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class SourceParts:
    """What one configured feed is made of. `options`: the adapter's, and those of OF_EVERY_FEED."""

    feed_id: int
    name: str
    adapter: str
    options: Mapping[str, Any]  # Any: JSON of an operator
    credentials: Credentials | None
    instruments: Sequence[FeedInstrument]
    error: str = ""
    """Why it cannot be used, when that is known already: its key cannot be read."""


def make_source(parts: SourceParts, clock: Clock, seed: int) -> Source:
    """The source, not yet open. One whose options or key are wrong is away for good, with the
    reason in its status.
    """
    try:
        return _made(parts, clock, seed)
    except (FeedOptionError, OSError) as error:  # OSError: a folder that cannot be read
        logger.error("feed_unusable", feed=parts.name, error=str(error))
        return Source(
            parts.name,
            UnusableFeed(parts.name, str(error)),
            _symbols(parts),
            feed_id=parts.feed_id,
        )


def _made(parts: SourceParts, clock: Clock, seed: int) -> Source:
    if parts.error:
        raise FeedOptionError(parts.error)
    is_local = parts.adapter in WITHOUT_CONNECTION
    silence = _seconds(parts, "silence_seconds", 0 if is_local else SILENCE_SECONDS)
    _seconds(parts, "chain_seconds", CHAIN_SECONDS)
    return Source(
        parts.name,
        _adapter(parts, clock, seed),
        _symbols(parts),
        feed_id=parts.feed_id,
        silence_ns=silence * NANOSECONDS_PER_SECOND,
        can_wait=is_local,
        keeps_quotes=_yes(parts, "keeps_quotes", default=True),
        checks=TickChecks(has_consecutive_ids=_yes(parts, "has_consecutive_ids", default=False)),
    )


def _adapter(parts: SourceParts, clock: Clock, seed: int) -> Feed:
    theirs = {name: value for name, value in parts.options.items() if name not in OF_EVERY_FEED}
    return feed_factory(parts.adapter)(
        FeedSetup(parts.name, clock, parts.instruments, theirs, parts.credentials, seed=seed)
    )


def _symbols(parts: SourceParts) -> list[str]:
    return [instrument.grid.symbol for instrument in parts.instruments]


def make_chain(
    parts: Sequence[SourceParts], ranked: Mapping[str, Sequence[str]], started_ns: int
) -> ProviderChain:
    """The chain over `ranked`: by symbol the names of its feeds, the best first."""
    limits = {part.name: _chain_seconds(part) * NANOSECONDS_PER_SECOND for part in parts}
    routes = {
        symbol: [Route(name, limits[name]) for name in names if name in limits]
        for symbol, names in ranked.items()
    }
    return ProviderChain(routes, started_ns)


def _chain_seconds(parts: SourceParts) -> int:
    """The usual ones for a feed that is away because its option cannot be read."""
    try:
        return _seconds(parts, "chain_seconds", CHAIN_SECONDS)
    except FeedOptionError:
        return CHAIN_SECONDS


def _seconds(parts: SourceParts, name: str, default: int) -> int:
    value = parts.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_SECONDS:
        raise FeedOptionError(
            f"The option {name!r} must be a whole number from 0 to {LONGEST_SECONDS}."
        )
    return value


def _yes(parts: SourceParts, name: str, *, default: bool) -> bool:
    value = parts.options.get(name, default)
    if not isinstance(value, bool):
        raise FeedOptionError(f"The option {name!r} must be true or false.")
    return value
