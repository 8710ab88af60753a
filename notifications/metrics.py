"""Measures of what people were told and how it reached them."""

from prometheus_client import Counter

NOTIFICATIONS = Counter("portal_notifications_total", "Notifications made, by event kind", ["kind"])
NOTIFICATIONS_SUPPRESSED = Counter(
    "portal_notifications_suppressed_total", "Notifications left out by the flood guard"
)
DELIVERIES = Counter(
    "portal_deliveries_total", "Attempts to deliver, by how they ended", ["transport", "outcome"]
)
