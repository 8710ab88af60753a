"""A recorded day through the feed process as fast as it goes: parse, checks, bars, Redis, engine.

Each round runs it twice, without and with every quote going to the tick store as well.
"""

import os
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.options import Options
from benchmarks.portal import Portal
from benchmarks.processes import cpu_seconds, run_child
from benchmarks.recording import recorded_folder
from benchmarks.report import Row, Section

ROUNDS_MAX = 3
"""A round takes a minute or two."""
LOOK_SECONDS = 0.1
BUSY_SHARE = 0.3
"""Of a core: an engine that takes less has nothing left of what the feed has told it."""
LONGEST_LAG_SECONDS = 30


class Run(msgspec.Struct):
    """What one replay printed, and the engine's CPU time meanwhile."""

    ticks: int
    seconds: float
    cpu_seconds: float
    resident_mib: float
    engine_cpu_seconds: float = 0.0
    engine_lag_seconds: float = 0.0

    @property
    def rate(self) -> float:
        return self.ticks / self.seconds

    @property
    def rate_a_core(self) -> float:
        return self.ticks / self.cpu_seconds


def measure(portal: Portal, options: Options) -> Section:
    with tempfile.TemporaryDirectory(prefix="portal-bench-day-") as scratch:
        folder, what = recorded_folder(Path(scratch))
        rounds = min(options.rounds, ROUNDS_MAX)
        turns = [
            (_run(portal, folder, "live"), _run(portal, folder, "store")) for _ in range(rounds)
        ]
    live, store = [turn[0] for turn in turns], [turn[1] for turn in turns]
    return Section(
        "replay",
        "A recorded day, replayed as fast as it goes",
        [
            Row("ticks through", "/s", [run.rate for run in live], "≥ 20,000"),
            Row("ticks a CPU second of the feed process", "/s", [run.rate_a_core for run in live]),
            Row("the same, with every quote stored", "/s", [run.rate for run in store]),
            Row("engine's share of a core", "%", [
                run.engine_cpu_seconds / run.seconds * 100 for run in live
            ]),
            Row("engine still busy after the end", "s", [run.engine_lag_seconds for run in live]),
            Row("feed process at most", "MiB", [run.resident_mib for run in live + store]),
        ],
        [
            f"{what}; quotes are conflated to the newest at each write, trades all go through.",
            "Parse, checks, bars, newest and live frames in Redis, the engine's street; trades and"
            " seconds are stored in all runs.",
        ],
    )  # fmt: skip


def _run(portal: Portal, folder: Path, way: str) -> Run:
    engine = portal.pid("engine")
    before = cpu_seconds(engine)
    output = run_child(
        "benchmarks.replaying",
        str(folder),
        way,
        environment={**os.environ, **portal.environment},
    )
    run = msgspec.json.decode(output.splitlines()[-1], type=Run)
    run.engine_lag_seconds = _lag(engine)
    run.engine_cpu_seconds = cpu_seconds(engine) - before
    return run


def _lag(engine: int) -> float:
    """For how many seconds from now the engine works at what it has been told."""
    began = time.monotonic()
    seconds = 0.0
    while seconds < LONGEST_LAG_SECONDS:
        before = cpu_seconds(engine)
        time.sleep(LOOK_SECONDS)
        if cpu_seconds(engine) - before < BUSY_SHARE * LOOK_SECONDS:
            break
        seconds = time.monotonic() - began
    return seconds
