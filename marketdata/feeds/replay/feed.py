"""The replay feed: tells recorded days at their pace, faster, or as fast as it is taken.

With `shift` it serves as a live market: everything is stamped with the moment at which it is told.
Without, it keeps the data's times and moves the process's market clock: for tests and imports.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from core.domain.clock import NANOSECONDS_PER_SECOND, wire_time
from marketdata.domain.bars import MINUTE_NS, Bar
from marketdata.domain.plan import FeedOptionError, FeedSetup
from marketdata.domain.ports import FeedAwayError, Told
from marketdata.domain.simulator import first_trade_id
from marketdata.domain.values import Quote, Trade
from marketdata.feeds.replay.clock import ReplayClock
from marketdata.feeds.replay.files import Recording
from marketdata.feeds.replay.options import FULL_SPEED, check_speed, read_options
from marketdata.feeds.replay.parse import BadLineError, Event, Kind

AT_ONCE: Final = 1_000
"""Events told in one answer: long enough to be fast, short enough that others have their turn."""
SPAN_NS: Final = NANOSECONDS_PER_SECOND
"""In its own time one answer spans no more: the process judges all of it by one clock."""
IDLE_SECONDS: Final = 0.02
OVER_SECONDS: Final = 0.5
UNREADABLE: Final = (BadLineError, OSError)


class ReplayFeed:
    """One recording, from its first day to its last, and again if `loop` says so."""

    def __init__(self, setup: FeedSetup) -> None:
        """FeedOptionError names the option at fault."""
        self.name = setup.name
        self._options = read_options(setup.options)
        self._recording = Recording(self._options, setup.instruments)
        self._clock = setup.clock
        if not self._options.shift and not isinstance(setup.clock, ReplayClock):
            raise FeedOptionError("The option 'shift' can be false in a feed process only.")
        self._has_minutes = self._recording.has_minutes
        self._speed = self._checked(self._options.speed)
        self._paused = False
        self._events: Iterator[Event] = iter(())
        self._next: Event | None = None
        self._days: list[str] = []
        self._is_over = False
        self._error = ""
        self._anchor_ns: tuple[int, int] | None = None
        """(ours, the data's): the moment at which which event was due."""
        self._told_ns = 0
        self._trade_id = first_trade_id(setup.clock.now_ns())
        self._tell_the_clock_where_it_begins()

    def _tell_the_clock_where_it_begins(self) -> None:
        """In its own time: what an earlier run has left is looked for at that moment, not today."""
        if self._options.shift or not isinstance(self._clock, ReplayClock):
            return
        with suppress(*UNREADABLE):  # opening it will say so
            self._begin()
        if self._next is not None:
            self._clock.follow(self._next.t_ns)

    async def open(self) -> None:
        """Nothing to connect to. It goes on where it was, or begins."""
        if self._error:
            raise FeedAwayError(self._error)
        try:
            if self._next is None and not self._is_over:
                self._begin()
        except UNREADABLE as error:
            raise self._broken(error) from error

    async def close(self) -> None:
        """Nobody to hang up on; the place is kept."""

    def control(self, asked: Mapping[str, Any]) -> None:  # Any: JSON of an operator
        """Obey `paused` (true or false) and `speed`. FeedOptionError for a speed that cannot be."""
        if "speed" in asked:
            speed = self._checked(check_speed(asked["speed"]))
            if speed != self._speed:
                self._speed, self._anchor_ns = speed, None
        paused = asked.get("paused") is True
        if paused != self._paused:
            self._paused, self._anchor_ns = paused, None

    def progress(self) -> dict[str, object]:
        """Where it is, for operators."""
        return {
            "paused": self._paused,
            "speed": self._speed,
            "at": wire_time(self._told_ns) if self._told_ns else None,
            "is_over": self._is_over,
            "days_left": len(self._days),
        }

    async def receive(self) -> Sequence[Told]:
        if self._is_over or self._paused:
            await asyncio.sleep(OVER_SECONDS)
            return ()
        try:
            told = self._take_due()
        except UNREADABLE as error:
            raise self._broken(error) from error
        if not told:
            await asyncio.sleep(IDLE_SECONDS)
        return told

    def _broken(self, error: Exception) -> FeedAwayError:
        """It cannot be read any further, and opening it again does not help."""
        self._error = f"the recording cannot be read: {error}"
        return FeedAwayError(self._error)

    def _checked(self, speed: int) -> int:
        if self._has_minutes and self._options.shift and speed != 1:
            raise FeedOptionError(
                "Some days have minutes only, which cannot be told faster than they last: the"
                " speed must be 1, or 'shift' false."
            )
        return speed

    def _begin(self) -> None:
        self._days = [*self._recording.days]
        self._next_day()

    def _next_day(self) -> None:
        """The first event of the next day that has one; the night between is left out when times
        are shifted.
        """
        self._next = None
        while self._next is None and self._days:
            self._events = self._recording.events(self._days.pop(0))
            self._next = next(self._events, None)
        self._anchor_ns = None
        if self._next is None:
            self._end()

    def _end(self) -> None:
        if self._options.loop and self._options.shift and self._told_ns:
            self._begin()
            return
        self._is_over = True
        if isinstance(self._clock, ReplayClock) and not self._options.shift:
            self._clock.follow(self._told_ns + MINUTE_NS)

    def _take_due(self) -> list[Told]:
        """What is due by now, at most AT_ONCE."""
        event = self._next
        if event is None:
            return []
        now_ns = self._now_ns()
        if self._anchor_ns is None:
            self._anchor_ns = self._anchor(now_ns, event.t_ns)
        due_ns = self._due_until(now_ns, event.t_ns)
        told: list[Told] = []
        day = self._events
        while event is not None and event.t_ns <= due_ns and len(told) < AT_ONCE:
            self._told_ns = event.t_ns
            told.append(self._tell(event, now_ns))
            event = next(day, None)
        self._next = event
        if told and not self._options.shift and isinstance(self._clock, ReplayClock):
            self._clock.follow(self._told_ns)
        if event is None:
            self._next_day()
        return told

    def _now_ns(self) -> int:
        clock = self._clock
        return clock.machine_ns() if isinstance(clock, ReplayClock) else clock.now_ns()

    def _anchor(self, now_ns: int, t_ns: int) -> tuple[int, int]:
        """When the event of `t_ns` is due. Days with minutes are moved by whole minutes."""
        if not (self._has_minutes and self._options.shift):
            return now_ns, t_ns
        return now_ns + (t_ns - now_ns) % MINUTE_NS, t_ns

    def _due_until(self, now_ns: int, t_ns: int) -> int:
        """The newest time of the data that is due now."""
        assert self._anchor_ns is not None, "anchored before"
        if self._speed == FULL_SPEED:
            return t_ns + SPAN_NS if not self._options.shift else 2**63
        ours_ns, theirs_ns = self._anchor_ns
        due_ns = theirs_ns + (now_ns - ours_ns) * self._speed
        return due_ns if self._options.shift else min(due_ns, t_ns + SPAN_NS)

    def _stamp(self, t_ns: int, now_ns: int) -> int:
        if not self._options.shift:
            return t_ns
        if self._speed == FULL_SPEED or self._anchor_ns is None:
            return now_ns
        ours_ns, theirs_ns = self._anchor_ns
        return ours_ns + (t_ns - theirs_ns) // self._speed

    def _tell(self, event: Event, now_ns: int) -> Told:
        t_ns = self._stamp(event.t_ns, now_ns)
        kind, symbol, told = event.kind, event.symbol, event.told
        if kind is Kind.QUOTE:
            return Quote(symbol, told[0], told[1], t_ns, self.name)
        if kind is Kind.BAR:
            opened, high, low, close, volume = told
            start_ns = t_ns - MINUTE_NS
            return Bar(symbol, start_ns, opened, high, low, close, volume, 0, None, is_closed=True)
        number, price, size, exchange, flags = told
        if self._options.shift:
            number, self._trade_id = self._trade_id, self._trade_id + 1
        return Trade(symbol, number, price, size, None, t_ns, self.name, exchange, flags)
