"""The services of the portal and the environment they all share.

One readable list: what is started, in which order, how each says that it is ready, what it needs.
The environment written here is read by `tradeportal/settings/env.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tradeportal.supervisor import keyset, probes
from tradeportal.supervisor.config import Configuration
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.spec import Probe, ServiceSpec

PROJECT = Path(__file__).resolve().parents[2]
ALWAYS_ALLOWED_HOSTS = ("127.0.0.1", "localhost", "[::1]")
LOCAL_FACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Where this machine finds a server that listens on every address."""
REDIS_PREFIX = "portal:"
FEED_FRESH_SECONDS = 15.0
ALIVE_ENOUGH_SECONDS = 15.0  # for services that only a log line shows to be ready
SERVICE_NAMES = ("postgres", "valkey", "engine", "feed", "gateway", "worker", "beat")
BACKGROUND = ("worker", "beat")
BACKGROUND_NICENESS = 10  # telling people of a fill may wait; the next order may not
WAIT_FOR_BOTH = ("postgres", "valkey")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the services of one start have in common."""

    data: DataDir
    configuration: Configuration
    port: int
    sockets: Path
    database_url: str
    redis_url: str

    @property
    def url(self) -> str:
        """The address people use."""
        server = self.configuration.server
        if server.public_url:
            return server.public_url.rstrip("/")
        host = LOCAL_FACE.get(server.host, server.host)
        return f"http://{in_url(host)}:{self.port}"

    @property
    def engine_socket(self) -> Path:
        return self.sockets / "engine.sock"

    @property
    def redis_prefix(self) -> str:
        return os.environ.get("PORTAL_REDIS_PREFIX", REDIS_PREFIX)


def in_url(host: str) -> str:
    """A host as URLs and ALLOWED_HOSTS write it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def shared_environment(plan: Plan) -> dict[str, str]:
    """The environment of every process, on top of the caller's own."""
    configuration, server = plan.configuration, plan.configuration.server
    hosts = [*ALWAYS_ALLOWED_HOSTS, *server.allowed_hosts.split(",")]
    hosts.append(in_url(urlsplit(plan.url).hostname or ""))
    return {
        "DATABASE_URL": plan.database_url,
        "REDIS_URL": plan.redis_url,
        "PORTAL_REDIS_PREFIX": plan.redis_prefix,
        "PORTAL_DATA_DIR": str(plan.data.root),
        "PORTAL_SECRET_KEY": os.environ.get("PORTAL_SECRET_KEY")
        or plan.data.secret("django-secret-key", 48),
        "PORTAL_SECRET_KEY_FALLBACKS": os.environ.get("PORTAL_SECRET_KEY_FALLBACKS", ""),
        "PORTAL_ENCRYPTION_KEYSET": os.environ.get("PORTAL_ENCRYPTION_KEYSET")
        or str(keyset.ensure(plan.data.secrets / keyset.NAME)),
        "PORTAL_ENGINE_SOCKET": str(plan.engine_socket),
        "PORTAL_PUBLIC_URL": plan.url,
        "PORTAL_ALLOWED_HOSTS": ",".join(dict.fromkeys(h.strip() for h in hosts if h.strip())),
        "PORTAL_PROXY_COUNT": str(server.proxy_count),
        "PORTAL_SMTP_URL": configuration.mail.smtp_url,
        "PORTAL_MAIL_FROM": configuration.mail.sender,
        "PORTAL_METRICS_TOKEN": server.metrics_token,
        "PORTAL_LOG_LEVEL": server.log_level,
        "PORTAL_MARKET": configuration.market.source,
        "PORTAL_MARKET_SEED": str(configuration.market.seed),
        "PORTAL_REPLAY_FOLDER": configuration.market.replay_folder,
        "PORTAL_TRADES_KEPT_DAYS": str(configuration.store.trades_kept_days),
        "PORTAL_QUOTES_KEPT_DAYS": str(configuration.store.quotes_kept_days),
        "PORTAL_SECONDS_KEPT_DAYS": str(configuration.store.seconds_kept_days),
        "PORTAL_DATABASE_POOL": str(configuration.database.pool),
        "DJANGO_SETTINGS_MODULE": "tradeportal.settings.base",
        "PYTHONUNBUFFERED": "1",
    }


def environment_for(service: str, plan: Plan) -> dict[str, str]:
    """The whole environment of one process."""
    return {
        **os.environ,
        **shared_environment(plan),
        "PORTAL_SERVICE": service,
        "PROMETHEUS_MULTIPROC_DIR": str(plan.data.metrics),
    }


def manage_command(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(PROJECT / "manage.py"), *arguments)


def application_specs(plan: Plan) -> list[ServiceSpec]:
    """The portal's own processes in the order of their start."""
    host, port = plan.configuration.server.host, plan.port
    local_host = LOCAL_FACE.get(host, host)
    engine = (sys.executable, "-m", "tradeportal.engine")
    gateway = (sys.executable, "-m", "tradeportal.gateway", "--host", host, "--port", str(port))
    specs = [
        _spec("engine", engine, plan, WAIT_FOR_BOTH),
        _spec("feed", manage_command("run_feed"), plan, (*WAIT_FOR_BOTH, "engine")),
        _spec("gateway", gateway, plan, WAIT_FOR_BOTH, local_host),
        _spec("worker", _celery_worker(plan), plan, WAIT_FOR_BOTH),
        _spec("beat", _celery("beat", plan, "--pidfile="), plan, WAIT_FOR_BOTH),
    ]
    if plan.configuration.market.source == "none":
        return [item for item in specs if item.name != "feed"]
    return specs


def _celery(command: str, plan: Plan, *arguments: str) -> tuple[str, ...]:
    level = plan.configuration.server.log_level
    return (
        sys.executable, "-m", "celery", "-q", "-A", "tradeportal", command, "--loglevel", level,
        *arguments,
    )  # fmt: skip


def _celery_worker(plan: Plan) -> tuple[str, ...]:
    concurrency = str(plan.configuration.worker.concurrency)
    name = f"worker@{plan.data.digest()}"  # two portals may share one Redis
    return _celery(
        "worker", plan, "--concurrency", concurrency, "--hostname", name, "--without-gossip",
        "--without-mingle",
    )  # fmt: skip


def _spec(
    name: str, command: tuple[str, ...], plan: Plan, needs: tuple[str, ...], host: str = ""
) -> ServiceSpec:
    log = plan.data.logs / f"{name}.log"

    def new_probe() -> Probe:
        if name == "engine":
            return probes.unix_socket(plan.engine_socket)
        if name == "gateway":
            return probes.http(host, plan.port, "/health/live")
        if name == "feed" and plan.configuration.market.source != "simulated":
            # Its sources may be away, and so may the hours: that it runs is all that can be asked.
            return probes.feed_runs(plan.redis_url, plan.redis_prefix, FEED_FRESH_SECONDS)
        if name == "feed":
            return probes.fresh_quote(plan.redis_url, plan.redis_prefix, FEED_FRESH_SECONDS)
        pattern = r"ready\." if name == "worker" else r"beat: Starting"
        return probes.log_line(log, pattern, ALIVE_ENOUGH_SECONDS)

    return ServiceSpec(
        name=name,
        command=command,
        environment=environment_for(name, plan),
        directory=PROJECT,
        log=log,
        new_probe=new_probe,
        start_timeout_seconds=getattr(plan.configuration.start_timeout_seconds, name),
        stop_timeout_seconds=getattr(plan.configuration.stop_timeout_seconds, name),
        port=plan.port if name == "gateway" else None,
        needs=needs,
        niceness=BACKGROUND_NICENESS if name in BACKGROUND else 0,
    )


def manage_environment(plan: Plan) -> Mapping[str, str]:
    """What `./portal manage` adds to its caller's environment to act as part of this portal."""
    return {**shared_environment(plan), "PORTAL_SERVICE": "manage"}
