"""Merges the measures of every process into one Prometheus page.

With PROMETHEUS_MULTIPROC_DIR each process keeps its values in files there (the supervisor sets it);
without it, as in tests, the page shows this process alone.
"""

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client import values as client_values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from core.metrics import OUTBOX_LAG_NAME


class OutboxLag(Collector):
    """The relay's lag as the database tells it; absent when the database did not answer."""

    def __init__(self, lag: timedelta | None) -> None:
        self._lag = lag

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self._lag is not None:
            yield GaugeMetricFamily(
                OUTBOX_LAG_NAME,
                "Age of the oldest event that the relay has not passed",
                value=self._lag.total_seconds(),
            )


def render(relay_lag: timedelta | None) -> tuple[str, bytes]:
    """The content type and the page."""
    own = CollectorRegistry()
    own.register(OutboxLag(relay_lag))
    return CONTENT_TYPE_LATEST, generate_latest(everybodys()) + generate_latest(own)


def everybodys() -> CollectorRegistry:
    """The measures of all processes together."""
    if client_values.ValueClass is client_values.MutexValue:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)
    return shared
