"""The one validated configuration of a portal: defaults here, overrides in `portal.toml`.

Read before anything starts. A missing file means the defaults below; a wrong key or value stops
with one line that names it. `docs/configuration.md` is made from this file.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from tradeportal.supervisor import shapes
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.options import check, option, rule_of

FILE_NAME = "portal.toml"
MARKETS = ("simulated", "replay", "configured", "none")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Server:
    """The address the portal answers on."""

    host: str = option(
        "127.0.0.1",
        "address the gateway listens on; only this machine until you decide otherwise: 0.0.0.0"
        " listens on every address",
        shape=shapes.HOST,
    )
    port: int = option(
        0,
        "0 takes the first free port of 8001-8005, then any; a number insists on that port",
        low=0,
        high=65535,
        flag="--port",
    )
    public_url: str = option(
        "",
        "address in mails and links; empty: http://<host>:<port> of this start, with 127.0.0.1"
        " (or [::1]) as the host when it listens on every address",
        shape=shapes.PUBLIC_URL,
    )
    allowed_hosts: str = option(
        "",
        "more host names the site answers to, separated by commas; localhost, 127.0.0.1, [::1] and"
        " the public address are always allowed",
    )
    proxy_count: int = option(
        0, "proxies in front that add X-Forwarded-For; 0 trusts no such header", low=0, high=10
    )
    log_level: str = option("INFO", "least severity written to the logs", choices=LOG_LEVELS)
    metrics_token: str = option(
        "",
        "lets whoever sends it as `Authorization: Bearer` read /metrics through a proxy or from"
        " another machine; empty: only requests straight from this machine may",
        shape=shapes.SECRET,
        variable="PORTAL_METRICS_TOKEN",
    )


@dataclass(frozen=True, slots=True)
class Market:
    """Where prices come from."""

    source: str = option(
        "simulated",
        "simulated runs the seeded demo market, replay tells recorded days as if they happened now,"
        " configured runs every enabled feed, none starts without a feed",
        choices=MARKETS,
        flag="--market",
    )
    replay_folder: str = option(
        "",
        "full path of a folder of recorded days in LEAN's layout; a start with the replay market"
        " makes its instruments and a feed for them, and replays another folder when this changes",
        variable="PORTAL_REPLAY_FOLDER",
    )
    seed: int = option(
        1,
        "seed of the simulated market: the same seed gives the same prices",
        low=0,
        high=2**31 - 1,
    )


@dataclass(frozen=True, slots=True)
class Store:
    """How long the running feed's ticks stay; imported days stay until somebody removes them."""

    trades_kept_days: int = option(
        30,
        "whole UTC days that trades stay; one takes about 120 bytes with its index",
        low=1,
        high=36_500,
    )
    quotes_kept_days: int = option(
        3,
        "whole UTC days that quotes stay; there are ten to forty times as many of them as trades",
        low=1,
        high=36_500,
    )
    seconds_kept_days: int = option(
        3,
        "whole UTC days that one-second bars stay; minutes and longer bars stay for good",
        low=1,
        high=36_500,
    )


@dataclass(frozen=True, slots=True)
class Worker:
    """Background jobs (Celery)."""

    concurrency: int = option(
        2,
        "worker processes for background jobs; jobs wait for mail servers more than for the CPU",
        low=1,
        high=64,
        flag="--workers",
    )


@dataclass(frozen=True, slots=True)
class Mail:
    """Where mail goes."""

    smtp_url: str = option(
        "",
        "smtp+tls://user:password@host:587, smtps:// or smtp:// sends mail; empty writes each mail"
        " to a file in <data-dir>/mail",
        shape=shapes.SMTP_URL,
        variable="PORTAL_SMTP_URL",
    )
    sender: str = option("Tradeportal <portal@localhost>", "the From line of mails")


@dataclass(frozen=True, slots=True)
class Postgres:
    """The embedded database server (not used when DATABASE_URL is set)."""

    max_connections: int = option(
        100,
        "upper limit of sessions: gateway pool + worker processes + engine + beat + feed + room"
        " for people",
        low=20,
        high=2000,
    )
    shared_buffers_mb: int = option(
        192,
        "page cache of the server; modest, because the portal shares the machine",
        low=16,
        high=65536,
    )
    max_wal_size_mb: int = option(
        2048,
        "write-ahead log kept between checkpoints; larger means rarer checkpoint pauses and a"
        " longer recovery",
        low=64,
        high=65536,
    )
    slow_statement_ms: int = option(
        250,
        "statements slower than this are written to logs/postgres.log; 0 turns it off",
        low=0,
        high=3_600_000,
    )


@dataclass(frozen=True, slots=True)
class Database:
    """Connections of the web processes to PostgreSQL (embedded or your own)."""

    pool: int = option(
        10,
        "most connections a process keeps open in its pool: about 4 per core; more only queue in"
        " the server",
        low=2,
        high=500,
    )


@dataclass(frozen=True, slots=True)
class Valkey:
    """The embedded Valkey server (not used when REDIS_URL is set)."""

    maxmemory_mb: int = option(
        256,
        "memory limit; at the limit writes are refused (noeviction), because dropping a queued job"
        " silently is worse",
        low=32,
        high=65536,
    )


@dataclass(frozen=True, slots=True)
class Restart:
    """How a service that died is started again."""

    first_delay_seconds: float = option(
        0.2,
        "pause before the first restart: short, an engine restart is an outage",
        low=0.01,
        high=60,
    )
    max_delay_seconds: float = option(
        15.0,
        "the pause doubles up to this, so that a broken service does not burn the machine",
        low=0.1,
        high=3600,
    )
    stable_after_seconds: float = option(
        60.0,
        "a service that lived this long starts again with the first pause",
        low=1,
        high=86400,
    )


@dataclass(frozen=True, slots=True)
class StartTimeout:
    """Seconds a service has to become ready; `up` fails after that, a restart tries again."""

    postgres: float = option(60.0, "crash recovery and a slow disk included", low=1, high=3600)
    valkey: float = option(30.0, "reading back the append-only file included", low=1, high=3600)
    setup: float = option(600.0, "migrations of a large database take minutes", low=1, high=86400)
    engine: float = option(60.0, "rebuilding the books of open orders included", low=1, high=3600)
    feed: float = option(
        120.0, "the first start stores the price history of every instrument", low=1, high=3600
    )
    gateway: float = option(45.0, "loading the site on a busy machine", low=1, high=3600)
    worker: float = option(60.0, "loading the site once per worker process", low=1, high=3600)
    beat: float = option(45.0, "loading the site and the schedule", low=1, high=3600)


@dataclass(frozen=True, slots=True)
class StopTimeout:
    """Seconds a service has to finish its work when asked to stop; after that it is killed."""

    beat: float = option(5.0, "holds no work", low=0.1, high=3600)
    worker: float = option(
        20.0, "running jobs may finish; later ones are redelivered", low=0.1, high=3600
    )
    gateway: float = option(
        15.0, "sockets are told, running requests are answered", low=0.1, high=3600
    )
    feed: float = option(5.0, "writes its last bars", low=0.1, high=3600)
    engine: float = option(20.0, "commits the batch in hand and answers it", low=0.1, high=3600)
    valkey: float = option(10.0, "writes out the append-only file", low=0.1, high=3600)
    postgres: float = option(30.0, "shutdown checkpoint", low=0.1, high=3600)


@dataclass(frozen=True, slots=True)
class Logs:
    """Files in <data-dir>/logs."""

    rotate_at_mb: int = option(
        20, "a log that grows past this is rotated: readable in an editor", low=1, high=10240
    )
    keep: int = option(
        5, "rotated files kept per service; with 20 MB each a bounded 120 MB", low=1, high=100
    )


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every setting of a portal, validated."""

    server: Server = field(default_factory=Server)
    market: Market = field(default_factory=Market)
    store: Store = field(default_factory=Store)
    worker: Worker = field(default_factory=Worker)
    mail: Mail = field(default_factory=Mail)
    database: Database = field(default_factory=Database)
    postgres: Postgres = field(default_factory=Postgres)
    valkey: Valkey = field(default_factory=Valkey)
    restart: Restart = field(default_factory=Restart)
    start_timeout_seconds: StartTimeout = field(default_factory=StartTimeout)
    stop_timeout_seconds: StopTimeout = field(default_factory=StopTimeout)
    logs: Logs = field(default_factory=Logs)


def load(path: Path, *, must_exist: bool = False) -> Configuration:
    """The configuration in `path`; the defaults when there is no such file.

    Raises PortalError with one line that names the file and the key or value at fault.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise PortalError(f"{path}: there is no such configuration file") from None
        return Configuration()
    except (OSError, UnicodeDecodeError) as error:
        raise PortalError(f"{path}: cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise PortalError(f"{path}: not valid TOML: {error}") from error
    return parse(document, source=str(path))


def parse(document: dict[str, Any], *, source: str) -> Configuration:  # Any: parsed TOML
    """A configuration from a parsed TOML document; `source` names it in error messages."""
    sections = {item.name: item for item in dataclasses.fields(Configuration)}
    kinds = get_type_hints(Configuration)
    values: dict[str, Any] = {}  # Any: sections differ in type
    for name, table in document.items():
        if name not in sections:
            raise PortalError(
                f"{source}: unknown section [{name}]; known: {', '.join(sorted(sections))}"
            )
        if not isinstance(table, dict):
            raise PortalError(f"{source}: {name} must be a section, written as [{name}]")
        values[name] = _parse_section(kinds[name], name, table, source)
    configuration = Configuration(**values)
    _check_together(configuration, source)
    return configuration


def override(configuration: Configuration, section: str, **values: object) -> Configuration:
    """The configuration with values from the command line, held to the same rules."""
    old = getattr(configuration, section)
    hints = get_type_hints(type(old))
    given = {key: value for key, value in values.items() if value is not None}
    for item in dataclasses.fields(old):
        if item.name in given:
            rule = rule_of(item)
            check(rule, hints[item.name], given[item.name], rule.flag or f"{section}.{item.name}")
    return dataclasses.replace(configuration, **{section: dataclasses.replace(old, **given)})


def complete(configuration: Configuration, environment: Mapping[str, str]) -> Configuration:
    """The configuration with its empty settings taken from the variables that stand in for them.

    They are there for those who keep passwords out of files, and held to the same rules.
    """
    for section in dataclasses.fields(Configuration):
        old = getattr(configuration, section.name)
        for item in dataclasses.fields(old):
            rule = rule_of(item)
            value = environment.get(rule.variable, "") if rule.variable else ""
            if value and not getattr(old, item.name):
                check(rule, str, value, rule.variable)
                old = dataclasses.replace(old, **{item.name: value})
        configuration = dataclasses.replace(configuration, **{section.name: old})
    return configuration


def _parse_section(
    kind: type[Any], section: str, table: dict[str, Any], source: str
) -> Any:  # Any: one of the section classes
    known = {item.name: item for item in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    for key, value in table.items():
        if key not in known:
            raise PortalError(
                f"{source}: unknown key {section}.{key}; known: {', '.join(sorted(known))}"
            )
        check(rule_of(known[key]), hints[key], value, f"{source}: {section}.{key}")
    return kind(**table)


def _check_together(configuration: Configuration, source: str) -> None:
    restart = configuration.restart
    if restart.first_delay_seconds > restart.max_delay_seconds:
        raise PortalError(
            f"{source}: restart.first_delay_seconds must not exceed restart.max_delay_seconds"
        )
