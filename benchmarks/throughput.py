"""Ten megabytes of payload a second through one gateway: half as many sockets, larger updates.

The native stream with a key: what a program that follows a deep book or many prices takes.
"""

import os
import time

import msgspec

from benchmarks.fanout import DRAIN_SECONDS, SYMBOL, TOPIC, UPDATES_PER_SECOND
from benchmarks.load.spec import Trader
from benchmarks.options import Options
from benchmarks.portal import Portal, TraderSpec
from benchmarks.processes import cpu_seconds, run_child
from benchmarks.report import Row, Section
from benchmarks.sockets.helper import helper
from benchmarks.sockets.spec import PublisherSpec, SocketsResult, SocketsSpec

PAYLOAD_BYTES = 1_024
ENVELOPE_BYTES = 230
"""Of an update without its padding, about."""

SNAPSHOT = '"op":"snapshot"'


def measure(portal: Portal, options: Options) -> Section:
    trader = portal.make_traders([TraderSpec(SYMBOL, "buy")])[0]
    sockets = max(options.sockets // 2, 1)
    results: list[SocketsResult] = []
    delivered: list[float] = []
    cpu: list[float] = []
    for _ in range(options.rounds):
        spec = SocketsSpec(
            url=f"ws://{portal.host}:{portal.port}/api/v1/stream",
            sockets=sockets,
            hello=hello(trader, [TOPIC]),
            is_timed=True,
            ready=SNAPSHOT,
        )
        with helper("benchmarks.sockets.client", spec) as client:
            before = cpu_seconds(portal.pid("gateway"))
            published = _publish(portal, options.seconds)
            time.sleep(DRAIN_SECONDS)
            cpu.append((cpu_seconds(portal.pid("gateway")) - before) / options.seconds * 100)
            output, _ = client.communicate()
        result = msgspec.json.decode(output, type=SocketsResult)
        results.append(result)
        delivered.append(result.received / (published * sockets) * 100)
    megabytes = [result.per_second * PAYLOAD_BYTES / 1e6 for result in results]
    return Section(
        name="throughput",
        title=f"Updates of 1 KB to {sockets:,} sockets, {UPDATES_PER_SECOND} a second each",
        rows=[
            Row("payload through one gateway", "MB/s", megabytes, "≥ 10"),
            Row("delivered", "%", delivered, "100"),
            Row("age p50", "ms", [result.p50 for result in results]),
            Row("age p99", "ms", [result.p99 for result in results]),
            Row("gateway CPU", "%", cpu),
        ],
        notes=["the gateway's /api/v1/stream (JSON), subscribed with an API key"],
    )


def hello(trader: Trader, topics: list[str]) -> list[str]:
    """What a program says first on the native stream."""
    return [auth(trader), msgspec.json.encode({"op": "subscribe", "topics": topics}).decode()]


def auth(trader: Trader) -> str:
    key_id, secret = trader.headers.values()
    return msgspec.json.encode({"op": "auth", "key_id": key_id, "secret": secret}).decode()


def _publish(portal: Portal, seconds: int) -> int:
    """Publish padded updates for so long; how many."""
    spec = PublisherSpec(
        redis_url=portal.environment["REDIS_URL"],
        channel=portal.environment["PORTAL_REDIS_PREFIX"] + TOPIC,
        topic=TOPIC,
        rate=UPDATES_PER_SECOND,
        seconds=seconds,
        padding=PAYLOAD_BYTES - ENVELOPE_BYTES,
    )
    given = msgspec.json.encode(spec)
    return int(run_child("benchmarks.sockets.publish", environment=os.environ, given=given))
