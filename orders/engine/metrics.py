"""What the engine tells Prometheus: batch size, time from receipt to commit, queue, orders,
refusals.
"""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

from core.domain.clock import NANOSECONDS_PER_SECOND
from orders.domain.replies import AnyReply, BatchReply, DeniedReply
from orders.engine.changes import Changes

BATCH_SIZE = Histogram(
    "portal_engine_batch_size",
    "Commands committed in one transaction",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
ACK_SECONDS = Histogram(
    "portal_engine_ack_seconds",
    "Time from receiving a command to its committed reply",
    buckets=(0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2.5, 5),
)
QUEUE_DEPTH = Gauge(
    "portal_engine_queue_depth",
    "Commands waiting for the next batch",
    multiprocess_mode="mostrecent",
)
OPEN_ORDERS = Gauge(
    "portal_engine_open_orders", "Orders resting in the books", multiprocess_mode="mostrecent"
)
ORDERS = Counter("portal_orders_accepted_total", "Orders accepted")
DENIED = Counter("portal_orders_denied_total", "Requests that a rule refused", ["reason"])
EXECUTIONS = Counter("portal_executions_total", "Executions committed")


def observe_batch(
    replies: Sequence[AnyReply], longest_wait_ns: int, changes: Changes, queue_depth: int
) -> None:
    """Record one batch after its commit: its longest wait is the honest bound for all of it."""
    BATCH_SIZE.observe(len(replies))
    QUEUE_DEPTH.set(queue_depth)
    ACK_SECONDS.observe(longest_wait_ns / NANOSECONDS_PER_SECOND)
    count_changes(changes)
    for reply in replies:
        for part in reply.replies if isinstance(reply, BatchReply) else (reply,):
            if isinstance(part, DeniedReply):
                DENIED.labels(part.reason).inc()


def count_changes(changes: Changes) -> None:
    """Count what one commit stored."""
    if changes.new_orders:
        ORDERS.inc(len(changes.new_orders))
    if changes.executions:
        EXECUTIONS.inc(len(changes.executions))
