"""The market's clock of a feed process: the machine's, unless a replay in its own time moves it."""

from datetime import datetime

from core.domain.clock import Clock, from_ns


class ReplayClock:
    """Tells the machine's time until a replay that keeps its times says which one it is."""

    def __init__(self, machine_clock: Clock) -> None:
        self._machine_clock = machine_clock
        self._market_ns: int | None = None

    def follow(self, t_ns: int) -> None:
        """It is `t_ns` at the market now; never goes back."""
        if self._market_ns is None or t_ns > self._market_ns:
            self._market_ns = t_ns

    @property
    def is_moved(self) -> bool:
        """A replay in its own time tells a whole part of the past anew."""
        return self._market_ns is not None

    def now_ns(self) -> int:
        return self._machine_clock.now_ns() if self._market_ns is None else self._market_ns

    def machine_ns(self) -> int:
        return self._machine_clock.now_ns()

    def now(self) -> datetime:
        return from_ns(self.now_ns())
