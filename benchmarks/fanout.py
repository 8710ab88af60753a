"""Live updates to many sockets: twenty a second each, then as many as go through.

The portal's data socket against a bare picows server that reads the same Redis channel; the two
take turns in each round.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from benchmarks.load.spec import Trader
from benchmarks.naive_server import free_port
from benchmarks.options import Options
from benchmarks.portal import Portal, TraderSpec
from benchmarks.processes import cpu_seconds, run_child
from benchmarks.report import Row, Section, ratio
from benchmarks.sockets.helper import helper
from benchmarks.sockets.spec import BareSpec, PublisherSpec, SocketsResult, SocketsSpec

SYMBOL = "AAPL"
TOPIC = f"quote:{SYMBOL}"
UPDATES_PER_SECOND = 20
FLOOD_PER_SECOND = 400
"""Far more than a server can pass on to a thousand sockets: what arrives is what it can do."""
DRAIN_SECONDS = 1.0


@dataclass(slots=True)
class Turn:
    """One server's turn: what arrived of what was published, and its CPU time."""

    result: SocketsResult
    published: int
    sockets: int
    server_cpu_seconds: float

    @property
    def delivered_percent(self) -> float:
        return self.result.received / (self.published * self.sockets) * 100

    @property
    def cpu_us(self) -> float:
        """Server CPU a delivered message."""
        return self.server_cpu_seconds / max(self.result.received, 1) * 1e6


@dataclass(slots=True)
class Target:
    """A server under measurement."""

    url: str
    hello: list[str]
    pid: Callable[[], int]
    steady: list[Turn] = field(default_factory=list)
    flood: list[Turn] = field(default_factory=list)


class FanoutBenchmark:
    """Runs the turns of one portal and one bare server."""

    def __init__(self, portal: Portal, options: Options) -> None:
        self._redis_url = portal.environment["REDIS_URL"]
        self._channel = portal.environment["PORTAL_REDIS_PREFIX"] + TOPIC
        self._options = options

    @contextlib.contextmanager
    def bare_server(self) -> Iterator[Target]:
        port = free_port()
        spec = BareSpec(redis_url=self._redis_url, channel=self._channel, port=port)
        with helper("benchmarks.sockets.bare", spec) as child:
            yield Target(f"ws://127.0.0.1:{port}/", [], lambda: child.pid)

    def turn(self, target: Target, *, rate: int) -> Turn:
        """Open the sockets, publish at `rate`, count what arrives."""
        options = self._options
        spec = SocketsSpec(
            url=target.url,
            sockets=options.sockets,
            hello=target.hello,
            is_timed=rate == UPDATES_PER_SECOND,
        )
        with helper("benchmarks.sockets.client", spec) as client:
            before = cpu_seconds(target.pid())
            published = run_child(
                "benchmarks.sockets.publish",
                environment=os.environ,
                given=msgspec.json.encode(
                    PublisherSpec(
                        redis_url=self._redis_url,
                        channel=self._channel,
                        topic=TOPIC,
                        rate=rate,
                        seconds=options.seconds,
                    )
                ),
            )
            time.sleep(DRAIN_SECONDS)
            spent = cpu_seconds(target.pid()) - before
            output, _ = client.communicate()  # the end of its input ends it
        result = msgspec.json.decode(output, type=SocketsResult)
        return Turn(result, int(published), options.sockets, spent)


def measure(portal: Portal, options: Options) -> Section:
    trader = portal.make_traders([TraderSpec(SYMBOL, "buy")])[0]
    benchmark = FanoutBenchmark(portal, options)
    hub = Target(
        f"ws://{portal.host}:{portal.port}/v2/iex",
        _hello(trader),
        lambda: portal.pid("gateway"),
    )
    with benchmark.bare_server() as bare:
        for _ in range(options.rounds):
            for target in (bare, hub):
                target.steady.append(benchmark.turn(target, rate=UPDATES_PER_SECOND))
                target.flood.append(benchmark.turn(target, rate=FLOOD_PER_SECOND))
    return _section(hub, bare, options)


def _hello(trader: Trader) -> list[str]:
    key_id, secret = trader.headers.values()
    return [
        f'{{"action":"auth","key":"{key_id}","secret":"{secret}"}}',
        f'{{"action":"subscribe","quotes":["{SYMBOL}"]}}',
    ]


def _section(hub: Target, bare: Target, options: Options) -> Section:
    delivered = [turn.delivered_percent for turn in hub.steady]
    hub_p99 = [turn.result.p99 for turn in hub.steady]
    bare_p99 = [turn.result.p99 for turn in bare.steady]
    hub_rate = [turn.result.per_second for turn in hub.flood]
    bare_rate = [turn.result.per_second for turn in bare.flood]
    hub_cpu = [turn.cpu_us for turn in hub.flood]
    bare_cpu = [turn.cpu_us for turn in bare.flood]
    return Section(
        name="fanout",
        title=f"Live quotes to {options.sockets:,} sockets, {UPDATES_PER_SECOND} updates/s each",
        rows=[
            Row("delivered by the hub", "%", delivered, "100"),
            Row("hub age p50", "ms", [turn.result.p50 for turn in hub.steady]),
            Row("hub age p99", "ms", hub_p99, "≤ 30"),
            Row("bare picows age p99", "ms", bare_p99),
            ratio("hub p99 ÷ bare p99", hub_p99, bare_p99),
            Row("CPU a message, hub", "µs", [turn.cpu_us for turn in hub.steady]),
            Row("CPU a message, bare", "µs", [turn.cpu_us for turn in bare.steady]),
            Row("hub at saturation", "msg/s", hub_rate),
            Row("bare picows at saturation", "msg/s", bare_rate),
            ratio("hub ÷ bare at saturation", hub_rate, bare_rate, "≥ 0.5, aim 0.8"),
            Row("CPU a message at saturation, hub", "µs", hub_cpu),
            Row("CPU a message at saturation, bare", "µs", bare_cpu),
            ratio("bare CPU ÷ hub CPU at saturation", bare_cpu, hub_cpu),
        ],
        notes=[
            "the hub is the gateway's /v2/iex (JSON), subscribed with an API key",
            f"saturation: {FLOOD_PER_SECOND} updates/s published, the newest wins in both servers",
        ],
    )
