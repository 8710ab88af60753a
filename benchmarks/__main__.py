"""`python -m benchmarks [NAME] [--seconds N] [--rounds N] [--json FILE]`; `./portal bench` runs
it.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    fanout,
    history,
    imports,
    latency,
    machine,
    matching,
    orders,
    replay,
    restart,
    storm,
    throughput,
)
from benchmarks.options import Options
from benchmarks.portal import Portal, running_portal
from benchmarks.processes import BenchmarkError
from benchmarks.report import Report, Section

WITH_PORTAL: dict[str, Callable[[Portal, Options], Section]] = {
    "orders": orders.measure,
    "latency": latency.measure,
    "fanout": fanout.measure,
    "throughput": throughput.measure,
    "storm": storm.measure,
    "restart": restart.measure,
    "history": history.measure,
    "imports": imports.measure,
    "replay": replay.measure,
}
NAMES = (*WITH_PORTAL, "matching")
FAILED, INTERRUPTED = 1, 130


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    chosen = [options.name] if options.name else list(NAMES)
    measured_on = machine.describe()
    wanted = Options(
        seconds=options.seconds,
        rounds=options.rounds,
        connections=options.connections,
        sockets=options.sockets,
        messages=options.messages,
        orders=options.orders,
        open_orders=options.open_orders,
    )
    sections: list[Section] = []
    try:
        for name in chosen:
            sys.stderr.write(f"  ..  measuring {name}\n")
            sections.append(_measure(name, wanted))
    except BenchmarkError as error:
        sys.stderr.write(f"  !!  {error}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    report = Report(measured_on, sections)
    sys.stdout.write(report.as_text())
    if options.json:
        options.json.write_bytes(report.as_json())
    return 0


def _measure(name: str, options: Options) -> Section:
    """Each benchmark has a new portal: what one leaves behind must not slow the next."""
    if name not in WITH_PORTAL:
        return matching.measure(options)
    with running_portal() as portal:
        return WITH_PORTAL[name](portal, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="portal bench",
        description="Measure a portal of its own against yardsticks on this machine.",
    )
    parser.add_argument("name", nargs="?", choices=NAMES, help="one of them; default all")
    parser.add_argument("--seconds", type=_positive, default=5, help="length of a measurement (5)")
    parser.add_argument("--rounds", type=_positive, default=5, help="interleaved rounds (5)")
    parser.add_argument("--connections", type=_positive, default=64, help="HTTP connections (64)")
    parser.add_argument("--sockets", type=_positive, default=1_000, help="WebSockets (1,000)")
    parser.add_argument(
        "--messages", type=_positive, default=2_000_000, help="messages to the book (2,000,000)"
    )
    parser.add_argument(
        "--orders", type=_positive, default=5_000_000, help="stored orders at last (5,000,000)"
    )
    parser.add_argument(
        "--open-orders", type=_positive, default=50_000, help="open orders (50,000)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
