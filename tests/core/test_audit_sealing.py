"""Every entry of the audit trail is sealed once, in one chain, whatever happens to the sealers."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.models import User
from core.database import database_dsn
from core.domain.clock import SystemClock
from core.models import AuditEntry, AuditLink, EventReader
from core.services import outbox
from core.services.audit_sealing import seal_audit_trail
from core.verification.audit_trail import SEALER, AuditTrailWalk
from tests.core.sealing import record, seal_all, sealed_entries, today_key, wait_until_settled
from tradeportal import tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A second connection to the test database, as another process has."""
    with psycopg.connect(database_dsn()) as opened:
        yield opened
        opened.rollback()


def record_on(other: psycopg.Connection[Any]) -> int:
    row = other.execute(
        "INSERT INTO core_auditentry (action, target, reason, facts, request_id, occurred_at)"
        " VALUES ('KeyMade', 'key:8', '', '{}', '', now()) RETURNING id"
    ).fetchone()
    assert row
    return int(row[0])


def problems(now: datetime) -> list[str]:
    return [*AuditTrailWalk([today_key()], now).problems()]


def test_an_entry_that_commits_late_is_sealed_once_and_none_is_skipped(
    other: psycopg.Connection[Any], now: datetime
) -> None:
    late = record_on(other)
    early = record(None, now).pk

    before = seal_audit_trail(today_key())
    other.commit()
    seal_all()

    assert late < early
    assert before == 0
    assert sealed_entries() == [late, early]
    assert problems(now) == []


def test_a_sealer_carries_on_until_nothing_is_left(now: datetime) -> None:
    entries = [record(None, now).pk for _ in range(5)]
    wait_until_settled()

    sealed = [seal_audit_trail(today_key(), step_entries=2) for _ in range(2)]

    assert sealed == [5, 0]
    assert sealed_entries() == entries


def test_two_sealers_at_once_make_one_chain(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [record(None, now).pk for _ in range(3)]
    inside, go_on = threading.Event(), threading.Event()
    advance = outbox.advance

    def slow(reader: str, window: outbox.Window) -> None:
        inside.set()
        assert go_on.wait(30)
        advance(reader, window)

    def work() -> None:
        seal_all()
        connection.close()

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "advance", slow)
        first = threading.Thread(target=work)
        first.start()
        assert inside.wait(60)
        second = seal_audit_trail(today_key())
        go_on.set()
        first.join(30)

    assert second == 0
    assert sealed_entries() == entries
    assert problems(now) == []


def test_a_sealer_killed_in_the_middle_has_sealed_nothing(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [record(None, now).pk for _ in range(3)]

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "advance", die)
        with pytest.raises(KeyboardInterrupt):
            seal_all()
    of_the_dead = sealed_entries()
    seal_all()

    assert of_the_dead == []
    assert sealed_entries() == entries
    assert problems(now) == []


def test_a_sealer_that_was_set_back_seals_nothing_twice(now: datetime) -> None:
    entries = [record(None, now).pk for _ in range(2)]
    seal_all()
    EventReader.objects.filter(name=SEALER).update(transaction_id=0, event_id=0)

    with pytest.raises(IntegrityError):
        seal_audit_trail(today_key())

    assert sealed_entries() == entries
    assert problems(now) == [
        f"the sealer has come to entry 0, and the chain ends with entry {entries[1]}:"
        " its end was cut off, or the sealer was moved"
    ]


def test_the_scheduled_job_seals_once_a_period(now: datetime) -> None:
    in_time = record(None, now).pk
    wait_until_settled()

    tasks.seal_audit_trail_now()
    too_soon = record(None, now).pk
    wait_until_settled()
    tasks.seal_audit_trail_now()

    assert sealed_entries() == [in_time]
    assert AuditEntry.objects.get(link=None).pk == too_soon


def test_a_restored_trail_is_refused_until_adopted_and_then_goes_on(
    now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = record(None, now).pk
    seal_all()
    waiting = record(None, now).pk
    far = 2**40
    AuditEntry.objects.filter(pk=sealed).update(transaction_id=far)
    AuditEntry.objects.filter(pk=waiting).update(transaction_id=far + 1)
    EventReader.objects.filter(name=SEALER).update(transaction_id=far)

    with pytest.raises(outbox.OutboxError, match="adopt_restored_log"):
        seal_audit_trail(today_key())
    told = problems(now)
    call_command("adopt_restored_log")
    adopted = problems(now)
    seal_all()

    restored = "run manage.py adopt_restored_log once, with the portal stopped"
    assert told == [
        f"the trail was restored from another database cluster: {restored}",
        f"entry {waiting} names a transaction to come: if it was restored, {restored}",
    ]
    assert "1 audit entries for their seal" in capsys.readouterr().out
    assert adopted == []
    assert sealed_entries() == [sealed, waiting]
    assert problems(now) == []


@pytest.mark.parametrize("change", [{"reason": "another"}, {"facts": {}}, {"actor": None}])
def test_an_entry_cannot_be_changed(alice: User, now: datetime, change: dict[str, Any]) -> None:
    entry = record(alice, now, {"name": "Momentum"})

    with pytest.raises(IntegrityError, match=f"core_auditentry {entry.pk} stays as it was"):
        AuditEntry.objects.filter(pk=entry.pk).update(**change)

    entry.refresh_from_db()
    assert (entry.reason, entry.facts, entry.actor) == (
        "left the desk", {"name": "Momentum"}, alice,
    )  # fmt: skip


def test_neither_an_entry_nor_its_link_can_be_deleted_or_the_link_changed(now: datetime) -> None:
    entry = record(None, now)
    seal_all()
    [link] = AuditLink.objects.all()
    statements = (
        f"DELETE FROM core_auditlink WHERE position = {link.position}",
        f"UPDATE core_auditlink SET digest = 'x' WHERE position = {link.position}",
        f"DELETE FROM core_auditentry WHERE id = {entry.pk}",
    )

    for statement in statements:
        refused = pytest.raises(IntegrityError, match="stays as it was recorded")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    assert AuditLink.objects.get() == link
    assert sealed_entries() == [entry.pk]
    assert problems(SystemClock().now()) == []


def test_the_console_shows_where_an_entry_is_sealed(
    client: Client, make_user: Callable[..., User], now: datetime
) -> None:
    client.force_login(make_user("otto", role="auditor"))
    first, second = record(None, now), record(None, now)
    seal_all()
    waiting = record(None, now)

    assert [sealed_on_page(client, entry) for entry in (first, second, waiting)] == [
        "at position 1", "at position 2", "not yet",
    ]  # fmt: skip


def sealed_on_page(client: Client, entry: AuditEntry) -> str:
    page = client.get(f"/admin/core/auditentry/{entry.pk}/change/")
    fields = [field for part in page.context["adminform"] for line in part for field in line]
    [sealed] = [field for field in fields if field.field["name"] == "sealed"]
    return str(sealed.contents())
