"""Runs the load generator as a process of its own against one server."""

import os
from collections.abc import Sequence

import msgspec

from benchmarks.load.spec import LoadResult, LoadSpec
from benchmarks.processes import BenchmarkError, run_child


def run_load(spec: LoadSpec) -> LoadResult:
    """The result of one run. Raises BenchmarkError when no order at all went through."""
    output = run_child("benchmarks.load", environment=os.environ, given=msgspec.json.encode(spec))
    result = msgspec.json.decode(output, type=LoadResult)
    if not result.orders:
        raise BenchmarkError(f"no order was accepted: {result.statuses} {result.failures}")
    return result


def failures(name: str, results: Sequence[LoadResult]) -> list[str]:
    """One note with every kind of answer that was not a success; none when all went well."""
    counts: dict[str, int] = {}
    examples: dict[str, str] = {}
    for result in results:
        for status, count in result.statuses.items():
            if not status.startswith("2"):
                counts[status] = counts.get(status, 0) + count
        examples |= result.failures
    if not counts:
        return [f"{name}: every answer was a success"]
    return [
        f"{name}: {count} answers of status {status}, such as {examples.get(status, '')!r}"
        for status, count in counts.items()
    ]
