"""Starts the outbox relay with a Celery worker and stops it before the worker's own queues
close.
"""

import threading

from celery import bootsteps
from celery.worker import WorkController
from django.conf import settings

from core.collector import leave_what_is_loaded
from core.domain.clock import SystemClock
from tradeportal.relay import Relay
from tradeportal.subscriptions import SUBSCRIPTIONS
from tradeportal.wakeup import OutboxBell

STOP_TIMEOUT_SECONDS = 10


class RelayStep(bootsteps.StartStopStep):
    """One relay thread in the worker's main process."""

    # After the pool: its children are forked before this thread has a connection or holds a lock.
    requires = ("celery.worker.components:Pool",)  # type: ignore[assignment]

    def __init__(self, parent: WorkController, **kwargs: object) -> None:
        super().__init__(parent, **kwargs)  # type: ignore[no-untyped-call]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox-relay", daemon=True)

    def start(self, parent: WorkController) -> None:
        leave_what_is_loaded()
        self._thread.start()

    def stop(self, parent: WorkController) -> None:
        """Let the step in hand finish; what is left stays in the log."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_SECONDS)

    terminate = stop

    def _run(self) -> None:
        bell = OutboxBell(
            url=settings.REDIS_URL, channel=f"{settings.REDIS_PREFIX}outbox", stop=self._stop
        )
        Relay(subscriptions=SUBSCRIPTIONS, clock=SystemClock()).run(self._stop, bell.wait)
        bell.close()
