"""`./portal manage <command>`: Django's commands with the settings of the running portal.

A few commands need no database; only those work while the portal is stopped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from tradeportal.supervisor.catalog import Plan, manage_command, manage_environment
from tradeportal.supervisor.config import Configuration
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError

NEED_NO_SERVICES = frozenset(
    {"help", "--help", "-h", "version", "--version", "check", "makemigrations", "spectacular",
     "findstatic", "diffsettings"}
)  # fmt: skip
NOT_RUNNING_EXIT_CODE = 3


def run(data: DataDir, configuration: Configuration, arguments: list[str]) -> int:
    """Become manage.py. Raises PortalError when the portal does not run and would be needed."""
    environment = _environment(data, configuration, arguments)
    command = manage_command(*arguments)
    os.execve(  # noqa: S606  # the whole purpose of this command
        sys.executable, list(command), {**os.environ, **environment}
    )


def _environment(
    data: DataDir, configuration: Configuration, arguments: list[str]
) -> Mapping[str, str]:
    if data.run.exists() and data.state.read_running() is not None:
        if not data.state.environment_path.exists():
            raise PortalError("the portal is still starting its databases; try again shortly")
        return data.state.read_environment()
    name = arguments[0] if arguments else "help"
    if name not in NEED_NO_SERVICES and not {"--help", "-h"} & set(arguments):
        raise PortalError(
            f"not running ({data.root}); start with ./portal up", NOT_RUNNING_EXIT_CODE
        )
    data.prepare()
    plan = Plan(
        data=data,
        configuration=configuration,
        port=configuration.server.port or 8001,
        sockets=data.run,
        database_url=os.environ.get("DATABASE_URL", "postgres://portal@127.0.0.1:1/portal"),
        redis_url=os.environ.get("REDIS_URL", "redis://127.0.0.1:1/0"),
    )
    return manage_environment(plan)
