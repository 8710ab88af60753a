"""How long an acknowledgement takes at a given offered load, from the instant it was due.

An open loop: a server that falls behind is not waited for, so its queue shows in the numbers.
"""

import os

import msgspec

from benchmarks.insert_rate import InsertResult
from benchmarks.load.spec import LoadResult
from benchmarks.loading import failures, run_load
from benchmarks.options import Options
from benchmarks.orders import TRADERS, product_spec
from benchmarks.portal import Portal
from benchmarks.processes import paused, run_child
from benchmarks.report import Row, Section, ratio

RATES = (500, 1_000)
BARS = {500: "≤ 25", 1_000: "≤ 15, aim 8"}


def measure(portal: Portal, options: Options) -> Section:
    results: dict[int, list[LoadResult]] = {rate: [] for rate in RATES}
    commits: list[InsertResult] = []
    traders = portal.make_traders(TRADERS)
    yardstick = {**os.environ, "BENCH_DATABASE_URL": portal.make_database("latency_yardstick")}
    for number in range(options.rounds):
        with paused(portal.background()):
            output = run_child(
                "benchmarks.insert_rate", str(options.seconds), environment=yardstick
            )
        commits.append(msgspec.json.decode(output, type=InsertResult))
        for rate in RATES:
            spec = product_spec(portal, traders, f"o{rate}-{number}", options, rate)
            results[rate].append(run_load(spec))
    return _section(results, commits)


def _section(results: dict[int, list[LoadResult]], commits: list[InsertResult]) -> Section:
    rows: list[Row] = []
    notes: list[str] = []
    for rate, measured in results.items():
        at = f"at {rate:,}/s offered"
        answered = [(r.orders + r.cancels) / r.seconds / rate * 100 for r in measured]
        rows += [
            Row(f"p50 {at}", "ms", [r.p50 for r in measured]),
            Row(f"p95 {at}", "ms", [r.p95 for r in measured]),
            Row(f"p99 {at}", "ms", [r.p99 for r in measured], BARS[rate]),
            Row(f"max {at}", "ms", [r.max for r in measured]),
            Row(f"acknowledged {at}", "%", answered),
        ]
        notes += failures(at, measured)
    commit = [result.mean_ms for result in commits]
    rows.append(Row("PostgreSQL, 1 client, one commit", "ms", commit))
    rows.append(ratio("p99 at 1,000/s ÷ one commit", [r.p99 for r in results[1_000]], commit))
    notes.append("the load generator's clock ticks each millisecond; less is not resolved")
    return Section(
        name="latency",
        title="Time to the acknowledgement of a durable order, open loop",
        rows=rows,
        notes=notes,
    )
