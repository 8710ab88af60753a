"""A stored secret opens in its own row with a key of ours and nowhere else; keys can be changed."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from core import encryption
from core.encryption import EncryptionError
from core.models import AuditEntry
from marketdata.models import Feed
from tradeportal.supervisor import keyset

SECRET = b"the-secret-of-another-house"
ROW = encryption.column("marketdata.Feed", "credentials", 7)


@pytest.fixture
def keys(tmp_path: Path, settings: Settings) -> Path:
    settings.ENCRYPTION_KEYSET = keyset.ensure(tmp_path / "keyset.json")
    return Path(settings.ENCRYPTION_KEYSET)


def feed_with_secret(name: str) -> Feed:
    feed = Feed.objects.create(name=name, adapter="alpaca")
    column = encryption.column("marketdata.Feed", "credentials", feed.pk)
    feed.credentials = encryption.encrypt(SECRET, bound_to=column)
    feed.save()
    return feed


def opened(feed: Feed) -> bytes:
    feed.refresh_from_db()
    assert feed.credentials is not None
    column = encryption.column("marketdata.Feed", "credentials", feed.pk)
    return encryption.decrypt(bytes(feed.credentials), bound_to=column)


def output_of(*command: str) -> str:
    output = StringIO()
    call_command(*command, stdout=output)
    return output.getvalue()


def test_the_keyset_of_a_first_start_is_the_owners_only_and_is_kept(keys: Path) -> None:
    first = keys.read_text()

    assert keys.stat().st_mode & 0o777 == 0o600
    assert keyset.ensure(keys).read_text() == first
    assert keyset.new_keyset() != first


def test_a_secret_opens_again_and_each_ciphertext_differs(keys: Path) -> None:
    one, other = (encryption.encrypt(SECRET, bound_to=ROW) for _ in range(2))

    assert encryption.decrypt(one, bound_to=ROW) == SECRET
    assert one != other
    assert SECRET not in one


def test_a_ciphertext_opens_in_no_other_row_and_not_after_a_change(keys: Path) -> None:
    ciphertext = encryption.encrypt(SECRET, bound_to=ROW)
    changed = bytes([*ciphertext[:-1], ciphertext[-1] ^ 1])
    other_row = encryption.column("marketdata.Feed", "credentials", 8)

    for stored, bound_to in ((ciphertext, other_row), (changed, ROW), (b"", ROW), (b"x", ROW)):
        with pytest.raises(EncryptionError, match="cannot be read with the keyset") as caught:
            encryption.decrypt(stored, bound_to=bound_to)
        assert "set the secret again" in str(caught.value)
        assert SECRET.decode() not in str(caught.value)


def test_a_missing_keyset_says_what_to_do(keys: Path) -> None:
    ciphertext = encryption.encrypt(SECRET, bound_to=ROW)
    keys.unlink()

    with pytest.raises(EncryptionError, match="Put it back from your backup"):
        encryption.decrypt(ciphertext, bound_to=ROW)
    with pytest.raises(EncryptionError, match="cannot be found at"):
        encryption.encrypt(SECRET, bound_to=ROW)


@pytest.mark.parametrize("text", ["", "{}", "nonsense", '{"primaryKeyId": 1, "key": []}'])
def test_a_broken_keyset_is_named_and_not_quoted(keys: Path, text: str) -> None:
    keys.write_text(text)

    with pytest.raises(EncryptionError, match="is no keyset that can be read") as caught:
        encryption.encrypt(SECRET, bound_to=ROW)
    assert caught.value.__cause__ is None


def test_another_keyset_opens_nothing(keys: Path) -> None:
    ciphertext = encryption.encrypt(SECRET, bound_to=ROW)
    keys.write_text(keyset.new_keyset())

    with pytest.raises(EncryptionError, match="Put back the keyset"):
        encryption.decrypt(ciphertext, bound_to=ROW)


def test_a_new_key_encrypts_and_the_old_one_still_decrypts(keys: Path) -> None:
    before = encryption.encrypt(SECRET, bound_to=ROW)
    keys.write_text(encryption.with_new_key(keys.read_text()))

    after = encryption.encrypt(SECRET, bound_to=ROW)

    assert encryption.decrypt(before, bound_to=ROW) == SECRET
    assert encryption.decrypt(after, bound_to=ROW) == SECRET
    assert (encryption.is_current(before), encryption.is_current(after)) == (False, True)
    keys.write_text(encryption.with_newest_only(keys.read_text()))
    assert encryption.decrypt(after, bound_to=ROW) == SECRET
    with pytest.raises(EncryptionError):
        encryption.decrypt(before, bound_to=ROW)


@pytest.mark.django_db(transaction=True)
def test_rotation_writes_every_stored_secret_anew(keys: Path) -> None:
    feeds = [feed_with_secret(f"feed-{number}") for number in range(3)]
    bare = Feed.objects.create(name="bare", adapter="simulated")

    said = output_of("rotate_encryption_keys")

    assert said == "3 stored secrets written with the newest key.\n"
    assert [opened(feed) for feed in feeds] == [SECRET] * 3
    assert all(encryption.is_current(bytes(feed.credentials or b"")) for feed in feeds)
    bare.refresh_from_db()
    assert bare.credentials is None
    assert len(json.loads(keys.read_text())["key"]) == 2
    assert keys.stat().st_mode & 0o777 == 0o600
    entry = AuditEntry.objects.get(action="EncryptionKeysRotated")
    assert entry.facts == {
        "new_key": True,
        "rewritten": 3,
        "unreadable": [],
        "old_keys_dropped": False,
    }


@pytest.mark.django_db(transaction=True)
def test_a_rotation_that_was_cut_off_goes_on_and_drops_old_keys_last(keys: Path) -> None:
    feed = feed_with_secret("cut-off")
    keys.write_text(encryption.with_new_key(keys.read_text()))  # and then the power went

    said = output_of("rotate_encryption_keys", "--resume", "--drop-old")

    assert said == "1 stored secrets written with the newest key.\n"
    assert len(json.loads(keys.read_text())["key"]) == 1
    assert opened(feed) == SECRET
    assert output_of("rotate_encryption_keys", "--resume").startswith("0 stored secrets")


@pytest.mark.django_db(transaction=True)
def test_old_keys_stay_while_a_secret_cannot_be_read(keys: Path) -> None:
    good, broken = feed_with_secret("good"), feed_with_secret("broken")
    broken.credentials = b"something else entirely"
    broken.save()

    with pytest.raises(
        CommandError, match=rf"marketdata\.feed\.credentials:{broken.pk}\. Old keys"
    ):
        call_command("rotate_encryption_keys", "--drop-old")

    assert len(json.loads(keys.read_text())["key"]) == 2
    assert opened(good) == SECRET
    broken.refresh_from_db()
    assert bytes(broken.credentials) == b"something else entirely"


@pytest.mark.django_db(transaction=True)
def test_rotation_without_a_keyset_changes_nothing(keys: Path) -> None:
    keys.unlink()

    with pytest.raises(CommandError, match="cannot be found at"):
        call_command("rotate_encryption_keys")

    assert not keys.exists()
    assert not AuditEntry.objects.exists()
