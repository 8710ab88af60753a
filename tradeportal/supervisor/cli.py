"""The commands of `./portal`, inside the virtual environment: parse, call one module, exit code.

Every command takes `--data-dir` and `--config` before or after its other arguments; for `manage`
they stand before it, because what follows belongs to Django.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tradeportal.supervisor import (
    benchrun,
    commands,
    config,
    console,
    doctor,
    manage,
    testrun,
    up,
)
from tradeportal.supervisor.catalog import PROJECT, SERVICE_NAMES
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.place import KEPT_PORT_FLAG, Place, extract_place

DATA_DIR_VARIABLE = "PORTAL_DATA_DIR"
INTERRUPTED_EXIT_CODE = 130
EPILOG = f"""\
every command takes --data-dir DIR (default: ${DATA_DIR_VARIABLE}, else var/ in the project) and
--config FILE (default: DIR/{config.FILE_NAME}, which may be missing), before or after its other
arguments; for manage they stand before it: what follows it belongs to Django.
services: {", ".join(SERVICE_NAMES)}
"""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        return _run(arguments)
    except PortalError as error:
        console.complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT_CODE
    except BrokenPipeError:  # `./portal logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: list[str]) -> int:
    arguments, given = extract_place(arguments)
    data = DataDir(Path(given.data_dir or os.environ.get(DATA_DIR_VARIABLE) or PROJECT / "var"))
    place = Place(data, Path(given.config) if given.config else None)
    if arguments[:1] == ["manage"]:
        return manage.run(place.data, place.configuration(), arguments[1:])
    if arguments[:1] == ["test"] and arguments[1:] not in (["-h"], ["--help"]):
        return testrun.run(arguments[1:])
    reader = parser()
    options = reader.parse_args(arguments)
    if options.command is None:
        reader.print_help()
        return 0
    return _COMMANDS[options.command](place, options)


def parser() -> argparse.ArgumentParser:
    """What every command takes besides its place."""
    made = argparse.ArgumentParser(
        prog="portal",
        description="Starts, stops and looks after a trading portal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands_of = made.add_subparsers(dest="command", metavar="COMMAND")
    start = commands_of.add_parser("up", help="start everything and stay, or go on with --detach")
    start.add_argument(
        "--port", type=int, help="insist on this port (default: 8001-8005, then any)"
    )
    start.add_argument("--detach", action="store_true", help="return when everything runs")
    start.add_argument("--market", help="simulated (default), replay, configured or none")
    start.add_argument("--workers", type=int, help="worker processes for background jobs (Celery)")
    start.add_argument(up.CHILD_FLAG, action="store_true", help=argparse.SUPPRESS)
    start.add_argument(KEPT_PORT_FLAG, type=int, help=argparse.SUPPRESS)
    commands_of.add_parser("down", help="drain and stop everything in order")
    again = commands_of.add_parser("restart", help="restart one service, or the whole portal")
    again.add_argument("service", nargs="?", help="one of the services below")
    state = commands_of.add_parser(
        "status", help="what runs; exit code 0 all, 1 not all, 3 nothing"
    )
    state.add_argument("--json", action="store_true", help="for programs")
    log = commands_of.add_parser("logs", help="the logs of one service, or of all")
    log.add_argument("service", nargs="?", help="a service, supervisor or setup")
    log.add_argument("-f", "--follow", action="store_true", help="go on with what is added")
    log.add_argument("-n", "--lines", type=int, default=50, help="lines to begin with (50)")
    commands_of.add_parser("doctor", help="what is wrong, and what to do about it")
    commands_of.add_parser("test", help="run the tests; arguments go to pytest")
    bench = commands_of.add_parser("bench", help="measure; with an environment of its own")
    bench.add_argument("arguments", nargs=argparse.REMAINDER, help="name of one benchmark")
    commands_of.add_parser("manage", help="any manage.py command, in the running portal's settings")
    return made


Command = Callable[[Place, argparse.Namespace], int]


def up_configuration(place: Place, options: argparse.Namespace) -> config.Configuration:
    """The configuration of `up`: the file, and above it the command line.

    The port of before a restart stands behind both.
    """
    configuration = place.configuration()
    configuration = config.override(configuration, "server", port=options.port)
    configuration = config.override(configuration, "market", source=options.market)
    configuration = config.override(configuration, "worker", concurrency=options.workers)
    if not configuration.server.port:
        configuration = config.override(configuration, "server", port=options.kept_port)
    return configuration


def _up(place: Place, options: argparse.Namespace) -> int:
    configuration = up_configuration(place, options)
    if options.detach and not options.detached_child:
        return up.run_detached(place.data)
    return up.run(place, configuration)


_COMMANDS: dict[str, Command] = {
    "up": _up,
    "down": lambda place, options: commands.down(place.data),
    "restart": lambda place, options: commands.restart(place, options.service),
    "status": lambda place, options: commands.status(place.data, as_json=options.json),
    "logs": lambda place, options: commands.logs(
        place.data, options.service, follow=options.follow, lines=options.lines
    ),
    "doctor": lambda place, options: doctor.run(place.data, place.configuration()),
    "bench": lambda place, options: benchrun.run(options.arguments),
}
