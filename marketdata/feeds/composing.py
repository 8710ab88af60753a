"""Makes the sources and the chain of a feed process out of configured feeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.clock import NANOSECONDS_PER_SECOND, Clock
from marketdata.domain.plan import (
    OF_EVERY_FEED,
    Credentials,
    FeedInstrument,
    FeedOptionError,
    FeedSetup,
)
from marketdata.domain.provider_chain import ProviderChain, Route
from marketdata.domain.tick_checks import TickChecks
from marketdata.feeds import WITHOUT_CONNECTION, feed_factory
from marketdata.feeds.sources import CHAIN_SECONDS, SILENCE_SECONDS, Source

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


def make_source(parts: SourceParts, clock: Clock, seed: int) -> Source:
    """The source, not yet open. FeedOptionError names the feed and the option at fault."""
    is_local = parts.adapter in WITHOUT_CONNECTION
    silence = _seconds(parts, "silence_seconds", 0 if is_local else SILENCE_SECONDS)
    theirs = {name: value for name, value in parts.options.items() if name not in OF_EVERY_FEED}
    setup = FeedSetup(parts.name, clock, parts.instruments, theirs, parts.credentials, seed=seed)
    try:
        feed = feed_factory(parts.adapter)(setup)
    except FeedOptionError as error:
        raise FeedOptionError(f"feed {parts.name}: {error}") from error
    return Source(
        parts.name,
        feed,
        [instrument.grid.symbol for instrument in parts.instruments],
        feed_id=parts.feed_id,
        silence_ns=silence * NANOSECONDS_PER_SECOND,
        can_wait=is_local,
        keeps_quotes=_yes(parts, "keeps_quotes", default=True),
        checks=TickChecks(has_consecutive_ids=_yes(parts, "has_consecutive_ids", default=False)),
    )


def make_chain(
    parts: Sequence[SourceParts], ranked: Mapping[str, Sequence[str]], started_ns: int
) -> ProviderChain:
    """The chain over `ranked`: by symbol the names of its feeds, the best first."""
    limits = {
        part.name: _seconds(part, "chain_seconds", CHAIN_SECONDS) * NANOSECONDS_PER_SECOND
        for part in parts
    }
    routes = {
        symbol: [Route(name, limits[name]) for name in names if name in limits]
        for symbol, names in ranked.items()
    }
    return ProviderChain(routes, started_ns)


def _seconds(parts: SourceParts, name: str, default: int) -> int:
    value = parts.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_SECONDS:
        raise FeedOptionError(
            f"feed {parts.name}: the option {name!r} must be a whole number from 0 to"
            f" {LONGEST_SECONDS}."
        )
    return value


def _yes(parts: SourceParts, name: str, *, default: bool) -> bool:
    value = parts.options.get(name, default)
    if not isinstance(value, bool):
        raise FeedOptionError(f"feed {parts.name}: the option {name!r} must be true or false.")
    return value
