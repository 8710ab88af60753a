"""Orders a second through HTTP, against the usual ORM design and PostgreSQL's single commits.

The three take turns in each round, so a ratio compares what was measured within the same moments.
"""

import os

import msgspec

from benchmarks.insert_rate import InsertResult
from benchmarks.load.spec import LoadResult, LoadSpec, Trader
from benchmarks.loading import failures, run_load
from benchmarks.naive_server import NaiveServer, running_naive
from benchmarks.options import SYMBOLS, Options
from benchmarks.portal import Portal, TraderSpec
from benchmarks.processes import paused, run_child
from benchmarks.report import Row, Section, ratio

TRADERS = [TraderSpec(symbol, side) for symbol in SYMBOLS for side in ("buy", "sell")]
ORDERS_PATH = "/v2/orders"


class OrdersBenchmark:
    """Collects the rounds."""

    def __init__(self, portal: Portal, naive: NaiveServer, yardstick_url: str) -> None:
        self._portal = portal
        self._naive = naive
        self._yardstick_url = yardstick_url
        self._traders = portal.make_traders(TRADERS)
        self.inserts: list[InsertResult] = []
        self.naive: list[LoadResult] = []
        self.product: list[LoadResult] = []
        self.cpu: dict[str, list[float]] = {}

    def round(self, number: int, options: Options) -> None:
        """PostgreSQL alone, the usual design, the portal."""
        with paused(self._portal.background()):
            # What the portal's worker has yet to tell about earlier orders must not slow others.
            output = run_child(
                "benchmarks.insert_rate",
                str(options.seconds),
                environment={**os.environ, "BENCH_DATABASE_URL": self._yardstick_url},
            )
            self.inserts.append(msgspec.json.decode(output, type=InsertResult))
            self.naive.append(
                run_load(
                    LoadSpec(
                        host=self._portal.host,
                        port=self._naive.port,
                        path="/orders",
                        traders=self._naive.traders,
                        run=f"c{number}",
                        seconds=options.seconds,
                        connections=options.connections,
                    )
                )
            )
        before = self._portal.cpu()
        result = run_load(product_spec(self._portal, self._traders, f"c{number}", options))
        for service, seconds in self._portal.cpu().items():
            spent = (seconds - before[service]) / result.answered_in_all * 1e6
            self.cpu.setdefault(service, []).append(spent)
        self.product.append(result)

    def section(self, options: Options) -> Section:
        product = [result.orders_per_second for result in self.product]
        naive = [result.orders_per_second for result in self.naive]
        inserts = [result.per_second for result in self.inserts]
        client = [r.client_cpu_seconds / r.answered_in_all * 1e6 for r in self.product]
        return Section(
            name="orders",
            title=f"Durable orders through HTTP, closed loop, {options.connections} connections",
            rows=[
                Row("portal", "orders/s", product),
                Row("usual ORM design", "orders/s", naive),
                Row("PostgreSQL, 1 client, 1 row a commit", "rows/s", inserts),
                ratio("portal ÷ usual ORM design", product, naive, "≥ 20, aim 30"),
                ratio("portal ÷ PostgreSQL, 1 client", product, inserts, "≥ 0.9, aim 1.4"),
                Row("portal latency p50", "ms", [result.p50 for result in self.product]),
                Row("portal latency p99", "ms", [result.p99 for result in self.product]),
                Row("usual ORM design latency p99", "ms", [result.p99 for result in self.naive]),
                *(
                    Row(f"CPU a request, {service}", "µs", spent)
                    for service, spent in self.cpu.items()
                ),
                Row("CPU a request, load generator", "µs", client),
            ],
            notes=[*failures("portal", self.product), *failures("usual ORM design", self.naive)],
        )


def product_spec(
    portal: Portal, traders: list[Trader], run: str, options: Options, rate: int | None = None
) -> LoadSpec:
    return LoadSpec(
        host=portal.host,
        port=portal.port,
        path=ORDERS_PATH,
        traders=traders,
        run=run,
        seconds=options.seconds,
        connections=options.connections,
        rate=rate,
    )


def measure(portal: Portal, options: Options) -> Section:
    with running_naive(portal.make_database("naive"), TRADERS) as naive:
        benchmark = OrdersBenchmark(portal, naive, portal.make_database("orders_yardstick"))
        for number in range(options.rounds):
            benchmark.round(number, options)
        return benchmark.section(options)
