"""Counts and latencies of the answers that belong to the measured window."""

import time
from collections import Counter

from benchmarks.load.exchange import LOST
from benchmarks.load.spec import LoadResult
from benchmarks.quantiles import quantile

FAILURE_LENGTH = 300


class Measure:
    """A closed loop counts answers that come inside the window. An open loop counts requests that
    were due inside it, however late their answers: leaving the late ones out would flatter.
    """

    def __init__(self, *, is_by_due_time: bool) -> None:
        self.start = self.end = 0.0
        self._is_by_due_time = is_by_due_time
        self._answered_in_all = 0
        self._latencies: list[float] = []
        self._orders = self._cancels = 0
        self._statuses: Counter[str] = Counter()
        self._failures: dict[str, str] = {}

    def note(self, status: int, body: bytes, is_cancel: bool, due: float) -> None:
        """One answer, just received, to the request that was due at `due`."""
        now = time.perf_counter()
        self._answered_in_all += 1
        name = "lost" if status == LOST else str(status)
        if not 200 <= status < 300:
            self._failures.setdefault(name, body[:FAILURE_LENGTH].decode(errors="replace"))
        if not self.start <= (due if self._is_by_due_time else now) < self.end:
            return
        self._statuses[name] += 1
        self._latencies.append(now - due)
        if not 200 <= status < 300:
            return
        if is_cancel:
            self._cancels += 1
        else:
            self._orders += 1

    def note_unanswered(self, due: float) -> None:
        """A request to which no answer came while we waited."""
        if self._is_by_due_time and self.start <= due < self.end:
            self._statuses["unanswered"] += 1
            self._latencies.append(time.perf_counter() - due)

    def result(self) -> LoadResult:
        latencies = sorted(self._latencies)
        return LoadResult(
            seconds=self.end - self.start,
            orders=self._orders,
            cancels=self._cancels,
            statuses=dict(self._statuses),
            failures=self._failures,
            p50=quantile(latencies, 0.5) * 1000,
            p95=quantile(latencies, 0.95) * 1000,
            p99=quantile(latencies, 0.99) * 1000,
            max=quantile(latencies, 1) * 1000,
            answered_in_all=self._answered_in_all,
            client_cpu_seconds=time.process_time(),
        )
