"""Which portal a command is about: its data directory and the configuration file it reads.

`cli` takes both out of the arguments of every command; a restart, which reads the file again and
becomes a new supervisor, builds its arguments from them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tradeportal.supervisor import config
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError

KEPT_PORT_FLAG = "--kept-port"  # of the supervisor that restarts itself, for itself
OPTIONS = ("--data-dir", "--config")


@dataclass(slots=True)
class Given:
    """The options that every command takes."""

    data_dir: str | None = None
    config: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Which portal a command is about."""

    data: DataDir
    config_path: Path | None

    def configuration(self) -> config.Configuration:
        """The validated configuration of this portal."""
        if self.config_path is not None:
            read = config.load(self.config_path, must_exist=True)
        else:
            read = config.load(self.data.root / config.FILE_NAME)
        return config.complete(read, os.environ)

    def check_restart(self, config_file: str) -> None:
        """Raise PortalError when a restart would find a wrong file: this one, or the place's own.

        A portal that runs is not stopped for a configuration that cannot start.
        """
        path = Path(config_file) if config_file else self.config_path
        replace(self, config_path=path).configuration()


def extract_place(arguments: list[str]) -> tuple[list[str], Given]:
    """Take --data-dir and --config out of the arguments, wherever they stand.

    What follows `manage` or `--` is left as it is.
    """
    rest: list[str] = []
    given = Given()
    pending = list(arguments)
    while pending:
        argument = pending.pop(0)
        name, equals, value = argument.partition("=")
        if name in OPTIONS:
            if not equals:
                if not pending:
                    raise PortalError(f"{name} needs a value", 2)
                value = pending.pop(0)
            if name == "--data-dir":
                given.data_dir = value
            else:
                given.config = value
        elif argument == "--" or (argument == "manage" and not rest):
            return [*rest, argument, *pending], given
        else:
            rest.append(argument)
    return rest, given


def arguments_after_restart(arguments: list[str], *, port: int, config_file: str) -> list[str]:
    """The arguments of the supervisor that follows one with these: it keeps the place.

    The port is only kept where neither its configuration nor its command line names one, and
    `config_file`, when given, takes the place of the file read so far.
    """
    rest, given = extract_place(arguments)
    kept = [item for item in rest if not item.startswith(KEPT_PORT_FLAG)]
    named = zip(OPTIONS, (given.data_dir, config_file or given.config), strict=True)
    place = [f"{name}={value}" for name, value in named if value]
    return [*kept, *place, f"{KEPT_PORT_FLAG}={port}"]
