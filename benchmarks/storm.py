"""Every socket reconnects at once: how soon all are in sync again, and what it costs in memory.

Once because their connections are cut, once because the gateway was killed and starts anew.
"""

import os
import signal
import subprocess

from redis import Redis

from benchmarks.fanout import SYMBOL
from benchmarks.options import SYMBOLS, Options
from benchmarks.portal import Portal, TraderSpec
from benchmarks.processes import cpu_seconds, peak_mib, resident_mib
from benchmarks.report import Row, Section
from benchmarks.sockets.helper import helper
from benchmarks.sockets.spec import StormSpec
from benchmarks.throughput import auth
from marketdata.domain.frames import event_frame
from marketdata.domain.topics import bar_topic, book_topic, quote_topic

BAR = "≤ 30"
TOPICS = [make(symbol) for symbol in SYMBOLS for make in (quote_topic, book_topic, bar_topic)]
STATE = {"levels": [["187.12", "300"]] * 10}


def measure(portal: Portal, options: Options) -> Section:
    trader = portal.make_traders([TraderSpec(SYMBOL, "buy")])[0]
    sockets = 2 * options.sockets
    _keep_states(portal)
    spec = StormSpec(
        url=f"ws://{portal.host}:{portal.port}/api/v1/stream",
        sockets=sockets,
        auth=auth(trader),
        topics=TOPICS,
    )
    cut: list[float] = []
    cpu_ms: list[float] = []
    killed: list[float] = []
    at_rest: list[float] = []
    peaks: list[float] = []
    with helper("benchmarks.sockets.storm", spec) as client:
        for _ in range(options.rounds):
            at_rest.append(resident_mib(portal.pid("gateway")))
            before = cpu_seconds(portal.pid("gateway"))
            cut.append(_storm(client, "cut"))
            cpu_ms.append((cpu_seconds(portal.pid("gateway")) - before) / sockets * 1000)
            peaks.append(peak_mib(portal.pid("gateway")))
            os.kill(portal.pid("gateway"), signal.SIGKILL)
            killed.append(_storm(client, "wait"))
            peaks.append(peak_mib(portal.pid("gateway")))
    return Section(
        name="storm",
        title=f"{sockets:,} sockets of {len(TOPICS)} topics reconnect at once",
        rows=[
            Row("connections cut: all in sync", "s", cut, BAR),
            Row("  of that, gateway's CPU a socket", "ms", cpu_ms),
            Row("gateway killed: all in sync", "s", killed, BAR),
            Row("gateway's memory, all in sync", "MiB", at_rest),
            Row("gateway's memory at its peak", "MiB", peaks),
        ],
        notes=[
            "in sync: authenticated, and a snapshot of every topic has come",
            "clients wait as pages do: 0.2 to 0.4 s, doubled at each failure, 15 s at most",
        ],
    )


def _storm(client: subprocess.Popen[bytes], word: str) -> float:
    """Let it begin; the seconds until every socket is in sync again."""
    assert client.stdin is not None and client.stdout is not None
    client.stdin.write(word.encode() + b"\n")
    client.stdin.flush()
    return float(client.stdout.readline())


def _keep_states(portal: Portal) -> None:
    """What snapshots are made of; the portal under measurement has no feed."""
    prefix = portal.environment["PORTAL_REDIS_PREFIX"]
    with Redis.from_url(portal.environment["REDIS_URL"]) as redis:
        for topic in TOPICS:
            frame = event_frame(topic, epoch="bench", seq=1, data=STATE)
            redis.set(f"{prefix}latest:{topic}", frame)
