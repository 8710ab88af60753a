"""Closed loop and open loop over the same connections."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque

from benchmarks.load.exchange import LOST, Exchange
from benchmarks.load.measure import Measure
from benchmarks.load.spec import LoadResult, LoadSpec
from benchmarks.load.traffic import Traffic

TICK_SECONDS = 0.001
DRAIN_SECONDS = 5.0


class Line:
    """One connection with its traffic; `due` is when the request under way should have left."""

    def __init__(self, run: "Run", number: int) -> None:
        self._run = run
        self._traffic = Traffic(run.spec, number)
        self.exchange = Exchange(self._on_answer)
        self.due = 0.0

    def send(self, due: float) -> None:
        self.due = due
        self.exchange.send(self._traffic.next_request())

    def _on_answer(self, status: int, body: bytes) -> None:
        self._traffic.note_answer(200 <= status < 300, body)
        self._run.measure.note(status, body, self._traffic.is_cancel, self.due)
        self._run.busy.discard(self)
        if status != LOST:
            self._run.free(self)


class Run(ABC):
    """Opens the connections, drives them through warm-up and window, closes them."""

    def __init__(self, spec: LoadSpec) -> None:
        self.spec = spec
        self.measure = Measure(is_by_due_time=spec.rate is not None)
        self.lines = [Line(self, number) for number in range(spec.connections)]
        self.busy: set[Line] = set()

    async def run(self) -> LoadResult:
        loop = asyncio.get_running_loop()
        for line in self.lines:
            await loop.create_connection(
                lambda line=line: line.exchange,  # type: ignore[misc]
                self.spec.host,
                self.spec.port,
            )
        begin = time.perf_counter()
        self.measure.start = begin + self.spec.warmup_seconds
        self.measure.end = self.measure.start + self.spec.seconds
        await self.drive(begin)
        deadline = self.measure.end + DRAIN_SECONDS
        while self.busy and time.perf_counter() < deadline:
            await asyncio.sleep(TICK_SECONDS)
        for line in self.busy:
            self.measure.note_unanswered(line.due)
        for line in self.lines:
            line.exchange.close()
        return self.measure.result()

    def send(self, line: Line, due: float) -> None:
        self.busy.add(line)
        line.send(due)

    @abstractmethod
    async def drive(self, begin: float) -> None:
        """Send requests until the window ends."""

    @abstractmethod
    def free(self, line: Line) -> None:
        """The line was answered and may send again."""


class ClosedLoop(Run):
    """Each connection sends as soon as it was answered: what the server can do at most."""

    async def drive(self, begin: float) -> None:
        for line in self.lines:
            self.send(line, time.perf_counter())
        await asyncio.sleep(self.measure.end - time.perf_counter())

    def free(self, line: Line) -> None:
        now = time.perf_counter()
        if now < self.measure.end:
            self.send(line, now)


class OpenLoop(Run):
    """Requests are due at fixed instants; one that finds no idle connection waits, and its wait
    counts.
    """

    def __init__(self, spec: LoadSpec) -> None:
        super().__init__(spec)
        self._idle = deque(self.lines)
        self._late: deque[float] = deque()

    async def drive(self, begin: float) -> None:
        assert self.spec.rate
        interval = 1 / self.spec.rate
        due = begin
        while due < self.measure.end:
            now = time.perf_counter()
            while due <= now and due < self.measure.end:
                self._send_or_wait(due)
                due += interval
            await asyncio.sleep(TICK_SECONDS)
        deadline = self.measure.end + DRAIN_SECONDS
        while self._late and time.perf_counter() < deadline:
            await asyncio.sleep(TICK_SECONDS)
        for never_sent in self._late:
            self.measure.note_unanswered(never_sent)
        self._late.clear()

    def free(self, line: Line) -> None:
        if self._late:
            self.send(line, self._late.popleft())
        else:
            self._idle.append(line)

    def _send_or_wait(self, due: float) -> None:
        if self._idle:
            self.send(self._idle.popleft(), due)
        else:
            self._late.append(due)
