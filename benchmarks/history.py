"""Whether an order costs more the longer a portal has been in use: with none, a fifth and all of
`--orders` stored orders, and with many open ones.

One portal grows from stage to stage. Each stage measures PostgreSQL's single commits in turn with
the orders, so stages that were minutes apart can be compared by what they are to that.
"""

import os
import sys
import time
from dataclasses import dataclass, field

import msgspec

from benchmarks.filling import History
from benchmarks.insert_rate import InsertResult
from benchmarks.killing import Outage, cancel_all, kill_engine
from benchmarks.load.spec import LoadResult
from benchmarks.loading import failures, run_load
from benchmarks.options import Options
from benchmarks.orders import TRADERS, product_spec
from benchmarks.portal import Portal
from benchmarks.processes import paused, run_child
from benchmarks.report import Row, Section, ratio

MAX_ROUNDS = 3
"""Of each stage: the whole must not take longer than all other benchmarks together."""

SERVICES = ("engine", "postgres")
"""Whose cost could grow."""


@dataclass(slots=True)
class Stage:
    """What was measured with so many stored orders, `still_open` of them open."""

    stored: int
    still_open: int
    outage: Outage | None = None
    inserts: list[InsertResult] = field(default_factory=list)
    closed_loop: list[LoadResult] = field(default_factory=list)
    offered: list[LoadResult] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.stored:,} stored, {self.still_open:,} open"

    @property
    def in_commits(self) -> list[float]:
        """Orders that were accepted in the time of one single commit."""
        return [
            load.orders_per_second / insert.per_second
            for load, insert in zip(self.closed_loop, self.inserts, strict=True)
        ]


class HistoryBenchmark:
    """Grows the portal and collects the stages."""

    def __init__(self, portal: Portal, options: Options) -> None:
        self._portal = portal
        self._options = options
        self._traders = portal.make_traders(TRADERS)
        self._yardstick = {
            **os.environ,
            "BENCH_DATABASE_URL": portal.make_database("history_yardstick"),
        }
        self.history = History(portal, options.orders)
        self.stages: list[Stage] = []

    def take_sample(self) -> None:
        """Trade for a moment: what history is made of."""
        self.history.begin_sample()
        run_load(product_spec(self._portal, self._traders, "sample", self._options))
        self._cancel_all()
        self.history.wait_until_told()
        orders = self.history.end_sample()
        say(f"history is made of copies of {orders:,} orders")

    def rest_orders(self) -> None:
        begin = time.perf_counter()
        self._portal.rest_orders(self._options.open_orders)
        say(f"{self._options.open_orders:,} orders rest ({time.perf_counter() - begin:.0f} s)")

    def grow(self, wanted: int) -> Outage:
        """Fill the database and start the engine on it; how long that took."""
        begin = time.perf_counter()
        stored = self.history.fill(wanted)
        size = self.history.settle()
        say(f"{stored:,} orders are stored, {size} ({time.perf_counter() - begin:.0f} s)")
        return kill_engine(self._portal, self._traders[0])

    def measure(self, still_open: int, outage: Outage | None = None) -> None:
        stage = Stage(self.history.stored(), still_open, outage)
        for number in range(min(self._options.rounds, MAX_ROUNDS)):
            self.history.forget_untold()
            self._round(stage, f"{len(self.stages)}-{number}")
        self._cancel_all()
        self.stages.append(stage)
        say(f"measured with {stage.name}")

    def _round(self, stage: Stage, name: str) -> None:
        portal, options = self._portal, self._options
        with paused(portal.background()):
            output = run_child(
                "benchmarks.insert_rate", str(options.seconds), environment=self._yardstick
            )
        stage.inserts.append(msgspec.json.decode(output, type=InsertResult))
        before = portal.cpu()
        result = run_load(product_spec(portal, self._traders, f"c{name}", options))
        spent = portal.cpu()
        stage.closed_loop.append(result)
        for service in SERVICES:
            used = (spent[service] - before[service]) / result.answered_in_all * 1e6
            stage.cpu.setdefault(service, []).append(used)
        spec = product_spec(portal, self._traders, f"o{name}", options, options.offered)
        stage.offered.append(run_load(spec))

    def _cancel_all(self) -> None:
        for trader in self._traders:
            cancel_all(self._portal, trader)


def measure(portal: Portal, options: Options) -> Section:
    benchmark = HistoryBenchmark(portal, options)
    benchmark.take_sample()
    benchmark.measure(0)
    benchmark.rest_orders()
    benchmark.measure(options.open_orders)
    for wanted in (options.orders // 5, options.orders):
        outage = benchmark.grow(wanted)
        benchmark.measure(options.open_orders, outage)
    return _section(benchmark.stages, options)


def _section(stages: list[Stage], options: Options) -> Section:
    first, last = stages[0], stages[-1]
    rows: list[Row] = []
    notes: list[str] = []
    for stage in stages:
        rows += _rows(stage, options.offered)
        notes += failures(stage.name, [*stage.closed_loop, *stage.offered])
    rows.append(ratio("orders a commit, last ÷ first", last.in_commits, first.in_commits, "≥ 0.9"))
    rows += [
        ratio(f"CPU a request, {service}, last ÷ first", last.cpu[service], first.cpu[service])
        for service in SERVICES
    ]
    return Section(
        name="history",
        title=f"Orders on top of a long history, {options.connections} connections",
        rows=rows,
        notes=[*notes, "history: copies of a sample of the same load, its events shortened"],
    )


def _rows(stage: Stage, offered: int) -> list[Row]:
    rows = [
        Row(stage.name, "orders/s", [load.orders_per_second for load in stage.closed_loop]),
        Row("  PostgreSQL, 1 client", "rows/s", [insert.per_second for insert in stage.inserts]),
        Row("  orders a commit of that", "×", stage.in_commits),
        Row(f"  p99 at {offered}/s", "ms", [load.p99 for load in stage.offered], "≤ 25"),
        *(Row(f"  CPU a request, {name}", "µs", used) for name, used in stage.cpu.items()),
    ]
    if stage.outage is not None:
        rows.append(Row("  first ack after kill -9", "s", [stage.outage.seconds], "≤ 5"))
        rows.append(Row("  of that, recovery", "s", [stage.outage.recovery_seconds]))
    return rows


def say(what: str) -> None:
    sys.stderr.write(f"      {what}\n")
