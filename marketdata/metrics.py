"""Prometheus metrics of market data. Gauges name how several processes' values combine."""

from prometheus_client import Counter, Gauge, Histogram

FEED_LAST_MESSAGE = Gauge(
    "portal_feed_last_message_timestamp_seconds",
    "When the feed last told something about the instrument (age = time() - this)",
    ["symbol"],
    multiprocess_mode="mostrecent",
)
FEED_MESSAGES = Counter("portal_feed_messages_total", "Messages taken from the source", ["feed"])
FEED_STATE = Gauge(
    "portal_feed_state",
    "How the source is: 0 connecting, 1 live, 2 silent, 3 away",
    ["feed"],
    multiprocess_mode="mostrecent",
)
FEED_RECONNECTS = Counter(
    "portal_feed_reconnects_total", "Times the source was opened again", ["feed"]
)
FEED_RULES = Counter(
    "portal_feed_tick_rules_total", "Ticks that a rule of docs/feeds.md met", ["feed", "rule"]
)
FEED_CHANGES = Counter(
    "portal_feed_changes_total", "Times an instrument went to another source", ["symbol"]
)
FEED_LATE_TRADES = Counter(
    "portal_feed_late_trades_total", "Trades that came too late for their bars", ["symbol"]
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
TICKS_NOT_STORABLE = Counter(
    "portal_feed_ticks_not_storable_total", "Ticks finer or larger than the store holds", ["symbol"]
)
TICK_TO_SOCKET = Histogram(
    "portal_tick_to_socket_seconds",
    "From a source's message to the last socket that was sent it, once per message",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
