"""The outbox relay: hands the facts of the event log to whoever subscribed to them, once each.

It runs as a thread in the Celery worker's main process (tradeportal.worker_steps). Redis only
wakes it early; the poll is what makes it certain. Effects, their mark in ConsumedEvent and the new
position are one transaction, so a relay that is killed anywhere has either done all of a step or
nothing.
"""

import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from core.domain.clock import Clock
from core.events import RecordedEvent
from core.metrics import OUTBOX_EVENTS
from core.models import FailedEvent
from core.selectors.outbox import is_behind
from core.services import outbox

READER = "relay"
BATCH_EVENTS = 1_000
"""Events in one transaction: enough to share its cost and to keep up with any engine at five
readings a second, few enough to repeat."""
RETRY_PAUSES_SECONDS = (0.2, 1.0, 5.0)
"""Pauses before an event is tried again; after the last try it is set aside."""
POLL_SECONDS = 1.0
REST_SECONDS = 0.2
"""Least time between two readings: a reading costs the same for one event as for a hundred, and
nobody notices a bell that rings a fifth of a second late."""
DATABASE_PAUSE_SECONDS = 1.0
MAX_ERROR_LENGTH = 8_000

Handler = Callable[[Sequence[RecordedEvent], datetime], None]
"""Takes events it has not taken before, in order, inside a transaction; `now` is the second
argument.

What leaves the database (frames, tasks) it hangs on transaction.on_commit."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One line of tradeportal.subscriptions. `name` is stored with each event: it never changes."""

    name: str
    kinds: frozenset[str]
    handler: Handler


class Step(Enum):
    """How a step of the relay ended, and so what it does next."""

    IDLE = auto()
    ADVANCED = auto()
    NOT_LEADING = auto()
    FAILED = auto()


class HandlerError(Exception):
    """A handler raised; its exception is the cause."""

    def __init__(self, handler: str) -> None:
        super().__init__(f"the handler {handler} raised")
        self.handler = handler


class Relay:
    """Reads for one reader. Any number may run: a transaction's advisory lock lets one work."""

    def __init__(
        self, *, subscriptions: Sequence[Subscription], clock: Clock, reader: str = READER
    ) -> None:
        self._subscriptions = subscriptions
        self._kinds = frozenset().union(*(each.kinds for each in subscriptions))
        self._clock = clock
        self._reader = reader
        self._one_by_one = 0  # events of a failed batch that are still to be taken singly
        self._head: int | None = None  # the first event of the last reading
        self._attempts = 0  # how often the head, taken singly, has failed

    @property
    def pause_seconds(self) -> float:
        """How long to wait after a FAILED step."""
        return RETRY_PAUSES_SECONDS[self._attempts - 1] if self._attempts else 0

    def step(self) -> Step:
        """Take the next events, all or none. A failing batch is repeated singly, then set aside."""
        limit = 1 if self._one_by_one else BATCH_EVENTS
        try:
            with transaction.atomic():
                if not outbox.try_lead(self._reader):
                    return Step.NOT_LEADING
                reading = outbox.read_after(self._reader, kinds=self._kinds, limit=limit)
                if reading.is_empty:
                    return Step.IDLE
                self._look_at(reading)
                self._hand_out(reading.events)
                outbox.advance(self._reader, reading)
        except HandlerError as error:
            self._note_failure(error)
            return Step.FAILED
        self._one_by_one = max(0, self._one_by_one - 1)
        return Step.ADVANCED

    def _look_at(self, reading: outbox.Reading) -> None:
        head = reading.events[0].id if reading.events else None
        if head != self._head:
            self._head, self._attempts = head, 0

    def _hand_out(self, events: Sequence[RecordedEvent]) -> None:
        now = self._clock.now()
        for subscription in self._subscriptions:
            wanted = [event for event in events if event.kind in subscription.kinds]
            if not wanted:
                continue
            try:
                take(subscription, wanted, now)
            except HandlerError as error:
                if self._attempts < len(RETRY_PAUSES_SECONDS) or is_connection_lost(error):
                    raise
                self._set_aside(wanted[0], error, now)

    def _set_aside(self, event: RecordedEvent, error: HandlerError, now: datetime) -> None:
        FailedEvent.objects.update_or_create(
            handler=error.handler,
            event_id=event.id,
            defaults={
                "attempts": self._attempts + 1,
                "error": error_text(error),
                "failed_at": now,
                "resolved_at": None,
            },
        )
        OUTBOX_EVENTS.labels(error.handler, "set_aside").inc()
        logger.error(
            "event_set_aside", event_id=event.id, handler=error.handler, exc_info=error.__cause__
        )

    def _note_failure(self, error: HandlerError) -> None:
        if is_connection_lost(error):
            raise OperationalError("the database went away under a handler") from error
        logger.error("event_handler_failed", handler=error.handler, exc_info=error.__cause__)
        OUTBOX_EVENTS.labels(error.handler, "failed").inc()
        if self._one_by_one:
            self._attempts += 1
        else:
            self._one_by_one = BATCH_EVENTS

    def run(self, stop: threading.Event, wait: Callable[[float], None]) -> None:
        """Work until `stop` is set; `wait(seconds)` returns early when there may be news."""
        logger.info("relay_started", kinds=sorted(self._kinds))
        while not stop.is_set():
            try:
                self._step_and_wait(stop, wait)
            except (OperationalError, InterfaceError, outbox.OutboxError) as error:
                logger.warning("relay_cannot_read", error=str(error))
                connection.close()
                stop.wait(DATABASE_PAUSE_SECONDS)
            except Exception:
                # The top of the loop: whatever went wrong, the log is still there to be read again.
                logger.exception("relay_step_failed")
                connection.close()
                stop.wait(DATABASE_PAUSE_SECONDS)
            stop.wait(REST_SECONDS)
        connection.close()
        logger.info("relay_stopped")

    def _step_and_wait(self, stop: threading.Event, wait: Callable[[float], None]) -> None:
        step = self.step()
        if step is Step.FAILED:
            stop.wait(self.pause_seconds)
        # What has committed but stands behind an older, still running transaction is worth another
        # look right after the rest.
        elif step is not Step.ADVANCED and not is_behind(self._reader):
            wait(POLL_SECONDS)


def take(subscription: Subscription, events: Sequence[RecordedEvent], now: datetime) -> None:
    """Give the handler those of `events` it has not taken, all or none; HandlerError if it
    raises.
    """
    try:
        with transaction.atomic():
            fresh = outbox.consume(subscription.name, events)
            if fresh:
                subscription.handler(fresh, now)
    except Exception as error:  # whatever a handler raises is its failure, not the relay's
        raise HandlerError(subscription.name) from error
    OUTBOX_EVENTS.labels(subscription.name, "taken").inc(len(fresh))


def retry_failed(failed: FailedEvent, subscriptions: Sequence[Subscription], now: datetime) -> bool:
    """Run the handler of an event that was set aside once more; whether it went well this time.

    A handler that is no longer subscribed has nothing left to take: False.
    """
    subscription = next((each for each in subscriptions if each.name == failed.handler), None)
    if subscription is None:
        return False
    try:
        with transaction.atomic():
            take(subscription, [outbox.recorded(failed.event_id)], now)
            FailedEvent.objects.filter(pk=failed.pk).update(resolved_at=now)
    except HandlerError as error:
        FailedEvent.objects.filter(pk=failed.pk).update(
            attempts=failed.attempts + 1, error=error_text(error), failed_at=now
        )
        return False
    return True


def error_text(error: HandlerError) -> str:
    """The traceback of what the handler raised, its end if it is too long to keep."""
    cause = error.__cause__ or error
    return "".join(traceback.format_exception(cause))[-MAX_ERROR_LENGTH:]


def is_connection_lost(error: HandlerError) -> bool:
    """Whether the handler failed because its database connection broke: no fault of the event."""
    if not isinstance(error.__cause__, OperationalError | InterfaceError):
        return False
    return connection.connection is None or bool(connection.connection.closed)
