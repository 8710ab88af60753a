"""What operators see of the feed process: one note a source each second, and its metrics."""

import os
from collections import Counter
from collections.abc import Sequence

import msgspec
import structlog

from core.domain.clock import NANOSECONDS_PER_SECOND, wire_time
from marketdata.domain.feed_states import FeedState
from marketdata.domain.ports import Controlled
from marketdata.domain.provider_chain import ProviderChain
from marketdata.domain.tick_checks import Rule
from marketdata.feeds.publisher import FEED_FOLLOWED_KEY, FEED_STATUS_KEY
from marketdata.feeds.sources import Source
from marketdata.metrics import (
    FEED_CHANGES,
    FEED_LAST_MESSAGE,
    FEED_LATE_TRADES,
    FEED_MESSAGES,
    FEED_RECONNECTS,
    FEED_RULES,
    FEED_STATE,
)

logger = structlog.get_logger(__name__)

CHANGES_SHOWN = 20
_encoder = msgspec.json.Encoder()


class StatusBoard:
    """Counts for operators. Written once a second: nothing here is asked for a single tick."""

    def __init__(self, sources: Sequence[Source], chain: ProviderChain, *, epoch: str) -> None:
        self._sources = sources
        self._chain = chain
        self._epoch = epoch
        self._changes: list[dict[str, object]] = []
        self._exported: Counter[tuple[str, str]] = Counter()
        self.late_trades: Counter[str] = Counter()
        """By instrument, since the process began."""
        self.told_ns: dict[str, int] = {}
        """The newest time of what each instrument was told since the last second."""

    def notes(self, now_ns: int) -> dict[str, bytes]:
        """The keys to set in Redis and their texts."""
        self._take_changes()
        notes: dict[str, bytes] = {}
        followed = {
            symbol: self._chain.feed_of(symbol)
            for source in self._sources
            for symbol in source.symbols
        }
        for source in self._sources:
            source.status.every_second()
            self._export(source)
            notes[f"{FEED_STATUS_KEY}{source.name}"] = _encoder.encode(
                {
                    **source.status.as_data(wire_time),
                    "gaps": source.checks.counts[Rule.GAP],
                    "refused": source.checks.refused,
                    "rules": {rule.value: count for rule, count in source.checks.counts.items()},
                    "instruments": len(source.symbols),
                    "following": sorted(s for s, name in followed.items() if name == source.name),
                    "pid": os.getpid(),
                    "epoch": self._epoch,
                    "told_at": wire_time(now_ns),
                    **(
                        {"replay": source.feed.progress()}
                        if isinstance(source.feed, Controlled)
                        else {}
                    ),
                }
            )
        for symbol, t_ns in self.told_ns.items():
            FEED_LAST_MESSAGE.labels(symbol).set(t_ns / NANOSECONDS_PER_SECOND)
        self.told_ns.clear()
        for symbol, count in self.late_trades.items():
            FEED_LATE_TRADES.labels(symbol).inc(self._since("late", symbol, count))
        late = {symbol: count for symbol, count in self.late_trades.items() if count}
        notes[FEED_FOLLOWED_KEY] = _encoder.encode(
            {
                "followed": followed,
                "late_trades": late,
                "changes": self._changes,
                "t": wire_time(now_ns),
            }
        )
        return notes

    def _take_changes(self) -> None:
        for change in self._chain.changes:
            logger.info("feed_followed", symbol=change.symbol, before=change.before, now=change.now)
            if change.before:
                FEED_CHANGES.labels(change.symbol).inc()
            self._changes.append({**change._asdict(), "at_ns": wire_time(change.at_ns)})
        self._chain.changes.clear()
        del self._changes[:-CHANGES_SHOWN]

    def _export(self, source: Source) -> None:
        name, status = source.name, source.status
        FEED_STATE.labels(name).set(list(FeedState).index(status.state))
        FEED_MESSAGES.labels(name).inc(self._since(name, "messages", status.messages))
        FEED_RECONNECTS.labels(name).inc(self._since(name, "reconnects", status.reconnects))
        for rule, count in source.checks.counts.items():
            FEED_RULES.labels(name, rule.value).inc(self._since(name, rule.value, count))

    def _since(self, name: str, what: str, count: int) -> int:
        """How much a counter has grown since it was last exported."""
        grown = count - self._exported[name, what]
        self._exported[name, what] = count
        return grown
