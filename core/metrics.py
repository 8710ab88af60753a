"""Measures of core: background work and the event log. Merged from every process by /metrics."""

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_EVENTS = Counter(
    "portal_outbox_events_total",
    "Events given to a handler, by how it went",
    ["handler", "outcome"],
)
TASK_SECONDS = Histogram(
    "portal_task_duration_seconds",
    "How long a background task ran",
    ["task"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
TASK_FAILURES = Counter("portal_task_failures_total", "Background tasks that raised", ["task"])
OUTBOX_LAG_NAME = "portal_outbox_lag_seconds"
"""Read from the database by each scrape, so that it stays true when no relay runs."""
CACHE_REQUESTS = Counter(
    "portal_cache_requests_total",
    "Questions to a cache, by layer (process, redis), cache and answer (hit, miss)",
    ["layer", "cache", "answer"],
)
CACHE_ENTRIES = Gauge(
    "portal_cache_entries",
    "Entries that a cache holds, over all processes",
    ["layer", "cache"],
    multiprocess_mode="livesum",
)
CACHE_EVICTIONS = Counter(
    "portal_cache_evictions_total", "Entries given up for newer ones", ["layer", "cache"]
)
