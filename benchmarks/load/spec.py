"""What the load generator is told on its standard input, and what it answers on its output."""

import msgspec


class Trader(msgspec.Struct, frozen=True):
    """One account under load: it only ever buys or only ever sells, so it never meets itself."""

    headers: dict[str, str]
    symbol: str
    side: str


class LoadSpec(msgspec.Struct, frozen=True):
    """One run. `rate` None: closed loop, each connection sends as soon as it was answered.

    With a rate it is an open loop: requests are due at fixed instants, whatever the server does,
    and latency counts from the instant at which a request was due.
    """

    host: str
    port: int
    path: str
    traders: list[Trader]
    run: str
    """Part of every client order id: no two runs share one."""
    seconds: float
    warmup_seconds: float = 1.0
    connections: int = 64
    rate: int | None = None


class LoadResult(msgspec.Struct, frozen=True):
    """What was answered inside the measured window, warm-up excluded; latencies in milliseconds."""

    seconds: float
    orders: int
    cancels: int
    statuses: dict[str, int]
    """Answers by HTTP status, "lost" for connections that broke."""
    failures: dict[str, str]
    """The first body of each status that is not 2xx."""
    p50: float
    p95: float
    p99: float
    max: float
    answered_in_all: int
    """Answers with the warm-up included: what CPU time is divided by."""
    client_cpu_seconds: float

    @property
    def orders_per_second(self) -> float:
        """Accepted orders a second; cancels and refusals do not count."""
        return self.orders / self.seconds

    @property
    def failed(self) -> int:
        return sum(count for status, count in self.statuses.items() if not status.startswith("2"))
