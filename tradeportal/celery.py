"""The Celery application: queues by latency class, the schedule, and the outbox relay in the
worker.

Worker: `celery -A tradeportal worker` takes every queue. Scheduler: `celery -A tradeportal beat`.
"""

import os

from celery import Celery
from kombu.entity import Queue

from tradeportal import task_signals
from tradeportal.schedule import beat_schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeportal.settings.base")
# Celery would run Django's checks and for them load every page; `migrate` has run them before us.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

FAST = "fast"
"""Somebody is waiting for it: deliveries."""
SLOW = "slow"
"""Nobody is: housekeeping, reports."""

app = Celery("tradeportal")
app.set_default()  # in every thread; else the gateway's threads would look for a broker elsewhere
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=(Queue(FAST), Queue(SLOW)),
    task_default_queue=SLOW,
    task_create_missing_queues=False,
    task_routes={
        "notifications.*": {"queue": FAST},
        "orders.make_due_switches": {"queue": FAST},
    },
    beat_schedule=beat_schedule(),
    broker_connection_max_retries=None,  # Redis comes back; the supervisor need not hear of it
    worker_cancel_long_running_tasks_on_connection_loss=False,  # a mail half sent is a mail twice
    worker_redirect_stdouts=False,
)
app.steps["worker"].add("tradeportal.worker_steps:RelayStep")
app.autodiscover_tasks()

__all__ = ["app", "task_signals"]
