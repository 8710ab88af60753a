"""The event log is read completely, in order, and never past a transaction that still runs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from core.events import EventKind, NewEvent
from core.models import Event, EventReader
from core.selectors.outbox import is_behind, lag
from core.services import outbox

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = {"CashAdjusted"}


@pytest.fixture
def other() -> Iterator[psycopg.Connection[Any]]:
    """A second connection to the test database, as another process has."""
    settings = connection.get_connection_params()
    wanted = {key: settings[key] for key in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**wanted) as opened:
        yield opened
        opened.rollback()


def append_on(other: psycopg.Connection[Any], kind: str = "CashAdjusted") -> int:
    row = other.execute(
        "INSERT INTO core_event (kind, version, payload, occurred_at)"
        " VALUES (%s, 1, '{}', now()) RETURNING id",
        [kind],
    ).fetchone()
    assert row
    return int(row[0])


def append(now: datetime) -> int:
    with transaction.atomic():
        return outbox.append([NewEvent(EventKind.CASH_ADJUSTED, {}, now)])[0]


def read(limit: int = 100, reader: str = "test") -> list[int]:
    with transaction.atomic():
        reading = outbox.read_after(reader, kinds=KINDS, limit=limit)
        if not reading.is_empty:
            outbox.advance(reader, reading)
    return [event.id for event in reading.events]


def read_until(count: int, reader: str = "test") -> list[int]:
    """Read until so many events came: other databases may hold the horizon for a moment."""
    got: list[int] = []
    for _ in range(10_000):
        got += read(reader=reader)
        if len(got) >= count:
            return got
    raise AssertionError(f"only {got} came")


def test_an_event_that_commits_late_is_not_skipped(
    other: psycopg.Connection[Any], now: datetime
) -> None:
    late = append_on(other)
    early = append(now)

    before = read()
    other.commit()
    after = read_until(2)

    assert late < early
    assert before == []
    assert after == [late, early]
    assert read() == []


def test_a_transaction_that_gave_up_holds_nothing_back(
    other: psycopg.Connection[Any], now: datetime
) -> None:
    append_on(other)
    kept = append(now)

    other.rollback()

    assert read_until(1) == [kept]


def test_events_of_other_kinds_are_passed_over_in_one_reading(
    other: psycopg.Connection[Any], now: datetime
) -> None:
    other.execute(
        "INSERT INTO core_event (kind, version, payload, occurred_at)"
        " SELECT 'OrderAccepted', 1, '{}', now() FROM generate_series(1, 4000)"
    )
    other.commit()
    wanted = append(now)

    assert read_until(1) == [wanted]
    assert not is_behind("test")
    assert lag("test").total_seconds() == 0


def test_a_limit_splits_the_log_without_loss_or_repetition(now: datetime) -> None:
    ids = [append(now) for _ in range(5)]

    read_until(5, reader="warm-up")  # everything is settled now
    parts = [read(limit=2) for _ in range(4)]

    assert parts == [ids[:2], ids[2:4], ids[4:], []]


def test_two_readers_of_one_name_cannot_both_move_on(now: datetime) -> None:
    append(now)
    read_until(1, reader="warm-up")
    with transaction.atomic():
        reading = outbox.read_after("test", kinds=KINDS, limit=10)
        outbox.advance("test", reading)

    with pytest.raises(outbox.OutboxError, match="moved by someone else"), transaction.atomic():
        outbox.advance("test", reading)


def test_appending_outside_a_transaction_is_refused(now: datetime) -> None:
    with pytest.raises(outbox.OutboxError):
        outbox.append([NewEvent(EventKind.CASH_ADJUSTED, {}, now)])

    assert Event.objects.count() == 0


def test_a_log_from_another_cluster_is_refused_until_adopted(now: datetime) -> None:
    read_event = append(now)
    assert read_until(1) == [read_event]
    unread = append(now)
    far = 2**40
    Event.objects.filter(pk=read_event).update(transaction_id=far)
    Event.objects.filter(pk=unread).update(transaction_id=far + 1)
    EventReader.objects.filter(name="test").update(transaction_id=far)

    with pytest.raises(outbox.OutboxError, match="adopt_restored_log"):
        read()
    waiting = outbox.adopt_restored_log("test")

    assert waiting == 1
    assert read_until(1) == [unread]


def test_lag_is_the_age_of_the_oldest_unread_event(other: psycopg.Connection[Any]) -> None:
    other.execute(
        "INSERT INTO core_event (kind, version, payload, occurred_at, recorded_at)"
        " VALUES ('CashAdjusted', 1, '{}', now(), now() - interval '90 seconds')"
    )
    other.commit()

    assert 90 <= lag("test").total_seconds() < 150
