"""What the parts of the fan-out benchmark are told and what they answer."""

import msgspec


class SocketsSpec(msgspec.Struct, frozen=True):
    """The client side: `hello` is sent when a socket opens, `is_timed` reads each update's age."""

    url: str
    sockets: int
    hello: list[str]
    is_timed: bool
    ready: str = '"subscription"'
    """What of a frame says that a socket hears from now on."""


class SocketsResult(msgspec.Struct, frozen=True):
    """Updates that arrived, over all sockets; ages in milliseconds."""

    received: int
    seconds: float
    """From the first update to the last."""
    p50: float
    p99: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.received / self.seconds if self.seconds else 0.0


class PublisherSpec(msgspec.Struct, frozen=True):
    redis_url: str
    channel: str
    topic: str
    rate: int
    seconds: float
    padding: int = 0
    """Bytes that make each update as large as is wanted."""


class StormSpec(msgspec.Struct, frozen=True):
    """Sockets that come back by themselves; each is in sync with a snapshot of every topic."""

    url: str
    sockets: int
    auth: str
    topics: list[str]


class BareSpec(msgspec.Struct, frozen=True):
    redis_url: str
    channel: str
    port: int
