"""Readiness: asks a service for its real work instead of trusting that it is alive.

Each function makes a probe, an awaitable that answers True when the service is ready. A probe never
raises for a service that is not there yet.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from datetime import datetime
from pathlib import Path

import psycopg
import redis.asyncio as redis

from tradeportal.supervisor.spec import Probe

PROBE_TIMEOUT_SECONDS = 3.0
LOG_READ_BYTES_MAX = 1024 * 1024
QUOTES_READ_MAX = 50


def unix_socket(path: Path) -> Probe:
    """Ready when something accepts connections on the Unix socket."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                _, writer = await asyncio.open_unix_connection(str(path))
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return probe


def http(host: str, port: int, path: str) -> Probe:
    """Ready when GET `path` answers 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("ascii")

    async def probe() -> bool:
        answer = await _exchange(host, port, request, until=b"\r\n")
        return b" 200 " in answer[:16] + b" "

    return probe


def valkey(port: int, password: str) -> Probe:
    """Ready when the server answers PING (it refuses while it loads its file)."""
    request = f"AUTH default {password}\r\nPING\r\n".encode("ascii")

    async def probe() -> bool:
        return b"+PONG" in await _exchange("127.0.0.1", port, request, until=b"+PONG\r\n")

    return probe


def postgres(dsn: str) -> Probe:
    """Ready when the server logs us in and answers a query."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                connection = await psycopg.AsyncConnection.connect(dsn, connect_timeout=2)
                async with connection:
                    await connection.execute("SELECT 1")
        except (psycopg.Error, OSError, TimeoutError):
            return False
        return True

    return probe


def log_line(log: Path, pattern: str, or_alive_seconds: float) -> Probe:
    """Ready when the service has written a line that matches, for processes without a port.

    Only lines written after this call count. With a log level that hides the line, a process that
    has lived `or_alive_seconds` counts as ready.
    """
    wanted = re.compile(pattern.encode())
    offset = log.stat().st_size if log.exists() else 0
    started = time.monotonic()

    async def probe() -> bool:
        if time.monotonic() - started >= or_alive_seconds:
            return True
        try:
            with log.open("rb") as stream:
                stream.seek(offset)
                return wanted.search(stream.read(LOG_READ_BYTES_MAX)) is not None
        except OSError:
            return False

    return probe


def fresh_quote(redis_url: str, prefix: str, fresh_seconds: float) -> Probe:
    """Ready when the feed publishes: some instrument has a quote that is only seconds old."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                age = await quote_age_seconds(redis_url, prefix)
        except (redis.RedisError, OSError, TimeoutError, ValueError, KeyError, TypeError):
            return False
        return age is not None and age <= fresh_seconds

    return probe


def feed_runs(redis_url: str, prefix: str, fresh_seconds: float) -> Probe:
    """Ready when the feed process says that it runs, whatever its sources do."""

    async def probe() -> bool:
        client = redis.from_url(redis_url, socket_timeout=PROBE_TIMEOUT_SECONDS)
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                alive = await client.get(f"{prefix}feed:alive")
        except (redis.RedisError, OSError, TimeoutError):
            return False
        finally:
            await client.aclose()
        return alive is not None and time.time() - int(alive) / 1_000 <= fresh_seconds

    return probe


async def quote_age_seconds(redis_url: str, prefix: str) -> float | None:
    """Seconds since the newest of the latest quotes; None when there is no quote."""
    client = redis.from_url(redis_url, socket_timeout=PROBE_TIMEOUT_SECONDS)
    try:
        keys = [key async for key in client.scan_iter(match=f"{prefix}latest:quote:*", count=500)]
        frames = [json.loads(frame) for frame in await client.mget(keys[:QUOTES_READ_MAX]) if frame]
    finally:
        await client.aclose()
    times = [datetime.fromisoformat(frame["data"]["t"]).timestamp() for frame in frames]
    return time.time() - max(times) if times else None


async def _exchange(host: str, port: int, request: bytes, *, until: bytes) -> bytes:
    """Send the request and return what came back up to `until`, or less."""
    received = b""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                while until not in received:
                    chunk = await reader.read(4096)
                    if not chunk:
                        break
                    received += chunk
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return received
    return received
