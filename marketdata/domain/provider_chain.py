"""Which of several feeds an instrument follows: the best that is fresh, one at a time, and never
back in time.

The rules, P1 on, stand in docs/feeds.md. Asked with every tick that passed its source's checks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from core.domain.clock import NANOSECONDS_PER_SECOND

RETURN_AFTER_NS: Final = 10 * NANOSECONDS_PER_SECOND
"""How long a better feed must have told of the instrument again, without a pause longer than its
limit, before the instrument goes back to it: one that comes and goes would change the price twice
as often as it helps.
"""


class Route(NamedTuple):
    """A feed that an instrument may follow, and after how much silence it is not fresh any more."""

    feed: str
    limit_ns: int


class Change(NamedTuple):
    """The instrument follows another feed from now on. `before` is empty for the first."""

    symbol: str
    before: str
    now: str
    at_ns: int


@dataclass(slots=True)
class _Telling:
    """What one feed has told of one instrument: when last, and since when without a pause."""

    last_ns: int = 0
    since_ns: int = 0

    def hear(self, now_ns: int, limit_ns: int) -> None:
        if not self.since_ns or now_ns - self.last_ns > limit_ns:
            self.since_ns = now_ns
        self.last_ns = now_ns

    def is_silent(self, now_ns: int, limit_ns: int) -> bool:
        if self.last_ns > now_ns:
            self.last_ns = now_ns  # the clock was set back
        return now_ns - self.last_ns > limit_ns


@dataclass(slots=True)
class _Told:
    """Of one feed: anything at all, and quotes, if it has ever told one."""

    anything: _Telling = field(default_factory=_Telling)
    quotes: _Telling = field(default_factory=_Telling)

    @property
    def lasting(self) -> _Telling:
        """What must last before an instrument goes back to the feed."""
        return self.quotes if self.quotes.last_ns else self.anything


@dataclass(slots=True)
class _Followed:
    routes: Sequence[Route]
    place: int | None = None
    """Which of the routes is followed; None until the first tick."""
    newest_t_ns: int = 0
    """The newest time of any tick that was followed."""
    floor_t_ns: int = 0
    """The newest time of what was followed before the last change."""
    told: list[_Told] = field(default_factory=list)


class ProviderChain:
    """Follows one feed an instrument. Times named `now_ns` are ours, those named `t_ns` the
    source's.
    """

    def __init__(self, routes: Mapping[str, Sequence[Route]], started_ns: int) -> None:
        """`routes` gives each instrument's feeds, the best first."""
        self._started_ns = started_ns
        self._followed = {
            symbol: _Followed(line, told=[_Told() for _ in line]) for symbol, line in routes.items()
        }
        self._places = {
            (route.feed, symbol): place
            for symbol, line in routes.items()
            for place, route in enumerate(line)
        }
        self.changes: list[Change] = []
        """The changes since somebody last emptied the list."""

    def offer(
        self, feed: str, symbol: str, t_ns: int, now_ns: int, *, is_quote: bool = False
    ) -> bool:
        """Whether the instrument follows this tick of `feed`, which came at `now_ns`."""
        place = self._places.get((feed, symbol))
        if place is None:
            return False
        followed = self._followed[symbol]
        limit_ns = followed.routes[place].limit_ns
        if now_ns - t_ns <= limit_ns:
            # A feed that is behind is as good as silent, however much it tells.
            followed.told[place].anything.hear(now_ns, limit_ns)
            if is_quote:
                followed.told[place].quotes.hear(now_ns, limit_ns)
        if place != followed.place:
            if t_ns < followed.newest_t_ns:
                return False
            if not self._may_take_over(followed, place, now_ns, is_quote=is_quote):
                return False
            self._change(symbol, followed, place, now_ns)
        elif t_ns < followed.floor_t_ns:
            return False
        if t_ns > followed.newest_t_ns:
            followed.newest_t_ns = t_ns
        return True

    def feed_of(self, symbol: str) -> str | None:
        """The feed that the instrument follows; None until the first tick."""
        followed = self._followed[symbol]
        return None if followed.place is None else followed.routes[followed.place].feed

    def lose(self, feed: str) -> None:
        """`feed` is away: when it is back, it has told without a pause from then on only."""
        for (name, symbol), place in self._places.items():
            if name == feed:
                told = self._followed[symbol].told[place]
                told.anything.since_ns = told.quotes.since_ns = 0

    def _may_take_over(
        self, followed: _Followed, place: int, now_ns: int, *, is_quote: bool
    ) -> bool:
        current = followed.place
        if current is None:
            # P2: the better ones have their limit to tell something.
            return all(
                now_ns - self._started_ns > followed.routes[better].limit_ns
                for better in range(place)
            )
        if place < current:
            return self._has_lasted(followed, place, now_ns) or self._is_silent(
                followed, current, now_ns, is_quote=is_quote
            )
        return all(
            self._is_silent(followed, better, now_ns, is_quote=is_quote)
            for better in range(current, place)
        )

    def _has_lasted(self, followed: _Followed, place: int, now_ns: int) -> bool:
        telling, limit_ns = followed.told[place].lasting, followed.routes[place].limit_ns
        if not telling.since_ns or telling.is_silent(now_ns, limit_ns):
            return False
        return now_ns - telling.since_ns >= RETURN_AFTER_NS

    def _is_silent(self, followed: _Followed, place: int, now_ns: int, *, is_quote: bool) -> bool:
        """Whether the feed tells nothing, or no quotes any more while another has a quote."""
        told, limit_ns = followed.told[place], followed.routes[place].limit_ns
        if told.anything.is_silent(now_ns, limit_ns):
            return True
        had_quotes = told.quotes.last_ns > 0
        return is_quote and had_quotes and told.quotes.is_silent(now_ns, limit_ns)

    def _change(self, symbol: str, followed: _Followed, place: int, now_ns: int) -> None:
        before = "" if followed.place is None else followed.routes[followed.place].feed
        followed.place = place
        followed.floor_t_ns = followed.newest_t_ns
        self.changes.append(Change(symbol, before, followed.routes[place].feed, now_ns))
