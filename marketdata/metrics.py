"""Prometheus metrics of market data. Gauges name how several processes' values combine."""

from prometheus_client import Counter, Gauge

FEED_LAST_MESSAGE = Gauge(
    "portal_feed_last_message_timestamp_seconds",
    "When the feed last told something about the instrument (age = time() - this)",
    ["symbol"],
    multiprocess_mode="mostrecent",
)
FEED_MESSAGES = Counter("portal_feed_messages_total", "Ticks taken from the feed", ["kind"])
FEED_LATE_TRADES = Counter(
    "portal_feed_late_trades_total", "Trades that came after their minute was closed", ["symbol"]
)
LINK_DELIVERED = Counter(
    "portal_feed_link_delivered_total", "Items the feed delivered, by outlet", ["link"]
)
LINK_FAILURES = Counter(
    "portal_feed_link_failures_total", "Failed deliveries (each is retried), by outlet", ["link"]
)
LINK_DROPPED = Counter(
    "portal_feed_link_dropped_total", "Facts dropped while an outlet was away too long", ["link"]
)
HUB_SOCKETS = Gauge("portal_hub_sockets", "Live sockets", multiprocess_mode="livesum")
HUB_TOPICS = Gauge("portal_hub_topics", "Topics with listeners", multiprocess_mode="livesum")
HUB_DELIVERED = Counter("portal_hub_delivered_total", "Frames written to sockets")
HUB_CONFLATED = Counter(
    "portal_hub_conflated_total", "States replaced by newer ones before they were sent"
)
HUB_OVERFLOWS = Counter("portal_hub_overflows_total", "Log topics cut short for a snapshot")
HUB_RECONNECTS = Counter("portal_hub_reconnects_total", "Connections to Redis that were made again")
HUB_TOO_SLOW = Counter("portal_hub_too_slow_total", "Sockets closed because nobody read them")
