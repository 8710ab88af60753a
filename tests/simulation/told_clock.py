"""A clock that shows what it is told."""

from datetime import datetime

from core.domain.clock import from_ns


class ToldClock:
    def __init__(self, start_ns: int) -> None:
        self.time_ns = start_ns

    def now_ns(self) -> int:
        return self.time_ns

    def now(self) -> datetime:
        return from_ns(self.time_ns)
