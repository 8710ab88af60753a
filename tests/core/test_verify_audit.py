"""verify_audit names every entry that was tampered with, whatever the kind, and nothing in a whole
trail.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker, Settings

from accounts.models import User
from core.domain.audit_chain import Head, digest_of, sealing_key
from core.models import AuditEntry, AuditLink
from core.verification.audit_trail import ENTRY_TEXTS, SEALER, AuditTrailWalk
from marketdata.models import Currency, Instrument, Venue
from orders.domain import commands
from tests.core.sealing import record, seal_all, sealed_entries, today_key
from tests.orders.desk import offline, open_desk

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Trail:
    """Sealed entries by their positions, from 1 on, and the head."""

    entries: dict[int, int]
    head: Head


@pytest.fixture(scope="module")
def sealed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Trail]:
    """Acts of the web side and of the engine, committed and sealed once for the module."""
    with django_db_blocker.unblock():
        yield tell_story()
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def trail(sealed: Trail, django_db_blocker: DjangoDbBlocker) -> Iterator[Trail]:
    """The trail inside a transaction that is rolled back, for somebody who owns the tables."""
    with django_db_blocker.unblock(), transaction.atomic():
        tamper("ALTER TABLE core_auditentry DISABLE TRIGGER stays_as_recorded")
        tamper("ALTER TABLE core_auditlink DISABLE TRIGGER stays_as_recorded")
        yield sealed
        transaction.set_rollback(True)


def tell_story() -> Trail:
    usd = Currency.objects.create(code="USD", name="US dollar")
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    Instrument.objects.create(
        symbol="AAPL", name="Apple", venue=venue, asset_class="us_equity", quote_currency=usd,
        tick_size="0.01", lot_size="1",
    )  # fmt: skip
    users = {name: User.objects.create(username=name) for name in ("alice", "bob", "charlie")}
    open_desk(users)  # two deposits
    record(users["alice"], NOW, {"name": "Momentum", "of": {"b": [1, "x"], "a": None}})
    record(None, NOW)
    offline(commands.SetFeeTier("T1", "Tier", Decimal("0.5"), Decimal(1), "r"))
    seal_all()
    link = AuditLink.objects.order_by("-position")[0]
    entries = dict(enumerate(sealed_entries(), start=1))
    return Trail(entries, Head(link.position, link.digest))


def tamper(statement: str, *values: int | str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def found(noted: Head | None = None, *, now: datetime = NOW) -> list[str]:
    return [*AuditTrailWalk([today_key()], now, noted).problems()]


def record_more(now: datetime = NOW) -> int:
    """One more entry, of the last transaction that was sealed: ours is not over."""
    entry = record(None, now)
    sealed = "SELECT transaction_id FROM core_eventreader WHERE name = %s"
    tamper(
        f"UPDATE core_auditentry SET transaction_id = ({sealed}) WHERE id = %s", SEALER, entry.pk
    )
    return entry.pk


def changed(trail: Trail, position: int) -> str:
    return (
        f"entry {trail.entries[position]}, sealed at position {position}, is not what was sealed:"
        " it or its link was changed"
    )


def test_acts_of_the_web_side_and_of_the_engine_are_sealed_and_whole(trail: Trail) -> None:
    walk = AuditTrailWalk([today_key()], NOW, trail.head)

    told = [*walk.problems()]

    assert told == []
    assert [*AuditEntry.objects.order_by("id").values_list("action", flat=True)] == [
        "CashDeposited", "CashDeposited", "ApiKeyRevoked", "ApiKeyRevoked", "FeeTierSet",
    ]  # fmt: skip
    assert (walk.entries, walk.sealed, walk.waiting, walk.head) == (5, 5, 0, trail.head)


@pytest.mark.parametrize(
    "change",
    [
        "actor_id = NULL",
        "action = 'ApiKeyMade'",
        "target = 'key:8'",
        "reason = 'left'",
        """facts = '{"name": "Momentun", "of": {"b": [1, "x"], "a": null}}'""",
        """facts = '{"name": "Momentum", "of": {"b": ["1", "x"], "a": null}}'""",
        """facts = '{"name": "Momentum", "of": {"b": [1.0, "x"], "a": null}}'""",
        "address = '192.0.2.8'",
        "address = NULL",
        "request_id = ''",
        "occurred_at = occurred_at + interval '1 microsecond'",
        "occurred_at = 'infinity'",
    ],
)
def test_any_change_of_an_entry_is_found_and_named(trail: Trail, change: str) -> None:
    tamper(f"UPDATE core_auditentry SET {change} WHERE id = %s", trail.entries[3])

    assert found() == [changed(trail, 3)]


def test_the_order_of_keys_is_no_change(trail: Trail) -> None:
    tamper(
        """UPDATE core_auditentry SET facts = '{"of": {"a": null, "b": [1, "x"]},
           "name": "Momentum"}' WHERE id = %s""",
        trail.entries[3],
    )

    assert found() == []


def test_a_removed_entry_is_found_and_named(trail: Trail) -> None:
    tamper("DELETE FROM core_auditentry WHERE id = %s", trail.entries[2])

    assert found() == [f"entry {trail.entries[2]}, sealed at position 2, was removed"]


def test_a_removed_link_is_found_and_its_entry_named(trail: Trail) -> None:
    tamper("DELETE FROM core_auditlink WHERE position = 2")

    assert found() == [
        "the chain goes on with position 3 after 1: links were removed",
        f"entry {trail.entries[3]}, sealed at position 3, cannot be proved:"
        " the link before it was removed",
        f"entry {trail.entries[2]} was put in afterwards, or its link was removed",
    ]


def test_a_changed_link_is_found_and_no_other_is_blamed(trail: Trail) -> None:
    tamper("UPDATE core_auditlink SET digest = repeat('0', 64) WHERE position = 2")

    assert found() == [changed(trail, 2)]


def test_two_entries_that_changed_places_are_found(trail: Trail) -> None:
    first, second = AuditLink.objects.filter(position__in=(3, 4)).order_by("position")
    tamper("DELETE FROM core_auditlink WHERE position IN (3, 4)")
    insert = "INSERT INTO core_auditlink (position, entry_id, digest) VALUES (%s, %s, %s)"
    tamper(insert, 3, second.entry_id, first.digest)
    tamper(insert, 4, first.entry_id, second.digest)

    named = [f"entry {trail.entries[4]}, sealed at position 3,"]
    named += [f"entry {trail.entries[3]}, sealed at position 4,"]
    told = " is not what was sealed: it or its link was changed"
    assert found() == [each + told for each in named]


def test_entries_put_in_afterwards_are_found_and_named(trail: Trail) -> None:
    insert = (
        "INSERT INTO core_auditentry"
        " (id, action, target, reason, facts, request_id, occurred_at, transaction_id)"
        " VALUES (%s, 'ApiKeyMade', '', '', '{}', '', now(), %s::text::xid8)"
    )
    tamper(insert, 10_000_001, "3")
    tamper(insert, 10_000_002, str(2**50))

    assert found() == [
        "entry 10000001 was put in afterwards, or its link was removed",
        "entry 10000002 names a transaction to come: if it was restored,"
        " run manage.py adopt_restored_log once, with the portal stopped",
    ]


def test_a_chain_made_anew_with_another_key_is_found(trail: Trail) -> None:
    tamper("UPDATE core_auditentry SET reason = 'another' WHERE id = %s", trail.entries[3])
    make_anew(sealing_key("not the portal's key"))

    assert found() == [changed(trail, position) for position in trail.entries]


def make_anew(key: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT position, {ENTRY_TEXTS} FROM core_auditlink"
            " JOIN core_auditentry AS entry ON entry.id = entry_id ORDER BY position"
        )
        before = ""
        for position, *texts in cursor.fetchall():
            before = digest_of(key, before, position, texts)
            change = "UPDATE core_auditlink SET digest = %s WHERE position = %s"
            cursor.execute(change, [before, position])


def cut_off_after(trail: Trail, last: int) -> None:
    tamper("DELETE FROM core_auditlink WHERE position > %s", last)
    tamper("DELETE FROM core_auditentry WHERE id > %s", trail.entries[last])


def test_an_end_that_was_cut_off_is_told_by_where_the_sealer_stands(trail: Trail) -> None:
    cut_off_after(trail, 3)

    assert found() == [
        f"the sealer has come to entry {trail.entries[5]}, and the chain ends with entry"
        f" {trail.entries[3]}: its end was cut off, or the sealer was moved"
    ]


def test_an_end_that_was_cut_off_with_care_is_told_by_a_noted_head(trail: Trail) -> None:
    cut_off_after(trail, 3)
    tamper("UPDATE core_eventreader SET event_id = %s WHERE name = %s", trail.entries[3], SEALER)

    assert found() == []  # nothing in the database can tell: therefore heads are noted elsewhere
    assert found(trail.head) == [
        "the chain ends at position 3, and position 5 was noted: its end was cut off"
    ]


def test_a_chain_made_anew_with_the_stolen_key_is_told_by_a_noted_head(trail: Trail) -> None:
    tamper("UPDATE core_auditentry SET reason = 'another' WHERE id = %s", trail.entries[1])
    make_anew(today_key())

    assert found() == []
    assert found(trail.head) == ["position 5 is not there with the digest that was noted"]


def test_entries_that_nobody_seals_are_told(trail: Trail) -> None:
    first, second = record_more(), record_more()

    soon = found(now=NOW + timedelta(minutes=5))
    late = found(now=NOW + timedelta(minutes=5, seconds=1))

    assert second > first
    assert soon == []
    assert late == [
        "2 entries wait to be sealed for more than 5 minutes,"
        f" the first is entry {first}: does the worker run?"
    ]


# --- the command


def run(*arguments: str) -> tuple[int, str]:
    output = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=output)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return end.code, output.getvalue()
    return 0, output.getvalue()


def test_command_says_that_all_is_well(trail: Trail) -> None:
    record_more(datetime.now(UTC))
    whole = f"The audit trail is whole: 6 entries, 5 sealed, 1 wait. Head {trail.head}\n"

    assert run() == (0, whole)
    assert run("--head", str(trail.head)) == (0, whole)


def test_command_of_an_empty_trail(trail: Trail) -> None:
    tamper("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE core_auditentry, core_auditlink")
    tamper("DELETE FROM core_eventreader")

    assert run() == (0, "The audit trail is whole: 0 entries, 0 sealed, 0 wait. Head none yet\n")


def test_command_lists_what_is_wrong_and_fails(trail: Trail) -> None:
    tamper("UPDATE core_auditentry SET reason = 'another' WHERE id = %s", trail.entries[1])

    assert run() == (1, f"{changed(trail, 1)}\n1 problems. Nothing was changed.\n")


@pytest.mark.parametrize("head", ["", "5", "0:" + 64 * "a", "5:abc", f"-1:{64 * 'a'}"])
def test_command_refuses_what_is_no_head(trail: Trail, head: str) -> None:
    with pytest.raises(CommandError, match="--head is POSITION:DIGEST"):
        run(f"--head={head}")


def test_what_was_sealed_with_an_earlier_key_is_proved_as_long_as_it_is_known(
    trail: Trail, settings: Settings, make_entry_sealed: Callable[[bytes, int], None]
) -> None:
    earlier, today = settings.SECRET_KEY, "the key of today"
    make_entry_sealed(sealing_key(today), 6)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = today, [earlier]
    known = run()
    settings.SECRET_KEY_FALLBACKS = []
    forgotten = run()

    assert known[0] == 0
    assert "6 entries, 6 sealed, 0 wait. Head 6:" in known[1]
    assert forgotten[0] == 1
    assert forgotten[1].endswith("5 problems. Nothing was changed.\n")


@pytest.fixture
def make_entry_sealed() -> Callable[[bytes, int], None]:
    """Puts the next entry and its link behind the chain, as the sealer would."""

    def make(key: bytes, position: int) -> None:
        entry = record(None, NOW)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {ENTRY_TEXTS} FROM core_auditentry AS entry WHERE id = %s", [entry.pk]
            )
            texts = cursor.fetchone()
        before = AuditLink.objects.get(position=position - 1).digest
        digest = digest_of(key, before, position, texts)
        AuditLink.objects.create(position=position, entry=entry, digest=digest)
        tamper("UPDATE core_eventreader SET event_id = %s WHERE name = %s", entry.pk, SEALER)

    return make
