"""The relay gives every event to its handlers once, whatever fails between effect and position."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from django.conf import settings
from django.db import connection, transaction
from redis import Redis

from core.domain.clock import FixedClock
from core.events import EventKind, NewEvent, RecordedEvent
from core.models import ConsumedEvent, EventReader, FailedEvent
from core.services import outbox
from notifications.models import Notification
from tests.core.relaying import drain
from tradeportal.relay import READER, Relay, Step, Subscription, retry_failed
from tradeportal.wakeup import OutboxBell

pytestmark = pytest.mark.django_db(transaction=True)


def append(now: datetime, count: int = 1) -> list[int]:
    events = [NewEvent(EventKind.CASH_ADJUSTED, {"n": n}, now) for n in range(count)]
    with transaction.atomic():
        return outbox.append(events)


def subscription(
    handler: Callable[[Sequence[RecordedEvent], datetime], None], name: str = "test"
) -> Subscription:
    return Subscription(name, frozenset({EventKind.CASH_ADJUSTED}), handler)


def relay_of(*subscriptions: Subscription, now: datetime) -> Relay:
    return Relay(subscriptions=subscriptions, clock=FixedClock(now))


class Recorder:
    """A handler whose effect is a row, so that it shares the fate of the relay's transaction."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.poison: set[int] = set()

    def __call__(self, events: Sequence[RecordedEvent], now: datetime) -> None:
        for event in events:
            Notification.objects.create(
                user_id=self.user_id, event_id=event.id, kind="T", title="t", created_at=now
            )
            if event.id in self.poison:
                raise ValueError(f"cannot take {event.id}")

    @property
    def effects(self) -> list[int]:
        return list(Notification.objects.order_by("id").values_list("event_id", flat=True))


@pytest.fixture
def recorder(transactional_db: None, alice: object) -> Recorder:
    return Recorder(alice.pk)  # type: ignore[attr-defined]


def test_every_event_is_taken_once_and_in_order(recorder: Recorder, now: datetime) -> None:
    ids = append(now, 450)

    drain(relay_of(subscription(recorder), now=now))
    again = relay_of(subscription(recorder), now=now).step()

    assert recorder.effects == ids
    assert again is Step.IDLE


def test_a_relay_killed_between_effect_and_position_repeats_neither(
    recorder: Recorder, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = append(now, 3)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "advance", die)
        with pytest.raises(KeyboardInterrupt):
            drain(relay_of(subscription(recorder), now=now))
    effects_of_the_dead = recorder.effects
    drain(relay_of(subscription(recorder), now=now))

    assert effects_of_the_dead == []
    assert recorder.effects == ids


def test_an_event_read_again_has_no_second_effect(recorder: Recorder, now: datetime) -> None:
    ids = append(now, 2)
    drain(relay_of(subscription(recorder), now=now))

    EventReader.objects.filter(name=READER).update(transaction_id=0, event_id=0)
    drain(relay_of(subscription(recorder), now=now))

    assert recorder.effects == ids


def test_an_event_that_cannot_be_taken_is_set_aside_and_the_rest_goes_on(
    recorder: Recorder, now: datetime
) -> None:
    ids = append(now, 4)
    recorder.poison = {ids[1]}
    seen: list[int] = []
    other = subscription(lambda events, _: seen.extend(event.id for event in events), "other")

    steps = drain(relay_of(subscription(recorder), other, now=now))

    assert recorder.effects == [ids[0], ids[2], ids[3]]
    assert ConsumedEvent.objects.filter(handler="other").count() == 4
    failed = FailedEvent.objects.get()
    assert (failed.event_id, failed.handler, failed.attempts) == (ids[1], "test", 4)
    assert f"ValueError: cannot take {ids[1]}" in failed.error
    # The whole batch once, then the poisoned event alone, three times before the last.
    assert steps.count(Step.FAILED) == 4


def test_an_event_set_aside_can_be_run_again(recorder: Recorder, now: datetime) -> None:
    [event_id] = append(now)
    recorder.poison = {event_id}
    subscriptions = [subscription(recorder)]
    drain(relay_of(*subscriptions, now=now))
    failed = FailedEvent.objects.get()

    still_poisoned = retry_failed(failed, subscriptions, now)
    recorder.poison = set()
    cured = retry_failed(failed, subscriptions, now)
    repeated = retry_failed(failed, subscriptions, now)

    assert (still_poisoned, cured, repeated) == (False, True, True)
    assert recorder.effects == [event_id]
    assert FailedEvent.objects.get().resolved_at == now


def test_of_two_relays_one_works(recorder: Recorder, now: datetime) -> None:
    append(now, 1)
    inside, go_on = threading.Event(), threading.Event()

    def slow(events: Sequence[RecordedEvent], moment: datetime) -> None:
        recorder(events, moment)
        inside.set()
        assert go_on.wait(30)

    def work() -> None:
        drain(relay_of(subscription(slow), now=now))
        connection.close()

    first = threading.Thread(target=work)
    first.start()
    assert inside.wait(60)
    second = relay_of(subscription(recorder), now=now).step()
    go_on.set()
    first.join(30)

    assert second is Step.NOT_LEADING
    assert len(recorder.effects) == 1


def test_a_lost_database_session_costs_nothing_but_time(recorder: Recorder, now: datetime) -> None:
    ids = append(now, 2)
    cuts = iter([True])

    def cut_off(events: Sequence[RecordedEvent], moment: datetime) -> None:
        recorder(events, moment)
        if next(cuts, False):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    stop = threading.Event()
    thread = _running(relay_of(subscription(cut_off), now=now), stop, stop.wait)
    _wait_for(lambda: recorder.effects == ids)
    stop.set()
    thread.join(30)

    assert recorder.effects == ids
    assert FailedEvent.objects.count() == 0


def test_the_engines_ring_wakes_a_sleeping_relay(recorder: Recorder, now: datetime) -> None:
    stop = threading.Event()
    channel = f"{settings.REDIS_PREFIX}outbox"
    bell = OutboxBell(url=settings.REDIS_URL, channel=channel, stop=stop)
    waits: list[float] = []

    def wait(_: float) -> None:
        began = time.monotonic()
        bell.wait(60)  # far longer than the test: only the ring ends it
        waits.append(time.monotonic() - began)

    thread = _running(relay_of(subscription(recorder), now=now), stop, wait)
    redis = Redis.from_url(settings.REDIS_URL)
    _wait_for(lambda: redis.pubsub_numsub(channel)[0][1] == 1)
    ids = append(now)

    def ring_until_heard() -> bool:
        redis.publish(channel, b"1")
        return recorder.effects == ids

    _wait_for(ring_until_heard)
    stop.set()
    redis.publish(channel, b"1")
    thread.join(30)

    assert not thread.is_alive()
    assert recorder.effects == ids
    bell.close()


def test_a_bell_that_was_silent_for_long_still_rings() -> None:
    stop = threading.Event()
    channel = f"{settings.REDIS_PREFIX}silent"
    bell = OutboxBell(url=settings.REDIS_URL, channel=channel, stop=stop)
    redis = Redis.from_url(settings.REDIS_URL)

    bell.wait(0.1)
    bell.wait(6)  # longer than the 5 s after which redis-py 8 gives up reading by default
    listeners = redis.pubsub_numsub(channel)[0][1]
    redis.publish(channel, b"1")
    began = time.monotonic()
    bell.wait(30)

    assert listeners == 1
    assert time.monotonic() - began < 20
    bell.close()


def test_without_redis_the_bell_is_a_plain_wait() -> None:
    stop = threading.Event()
    bell = OutboxBell(url="redis://127.0.0.1:1/0", channel="x", stop=stop)

    began = time.monotonic()
    bell.wait(0.2)

    assert time.monotonic() - began >= 0.2


def _running(
    relay: Relay, stop: threading.Event, wait: Callable[[float], object]
) -> threading.Thread:
    thread = threading.Thread(target=relay.run, args=[stop, wait])
    thread.start()
    return thread


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
