"""Gives the keyset of stored secrets a new key and writes every stored secret anew with it.

Old keys stay until they are dropped on purpose: copies of the database still need them.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import transaction

from core import encryption
from core.domain.origin import Origin
from core.services.audit import record

BATCH = 100


class Rotation(NamedTuple):
    """What was done: secrets written anew, and columns of those that no key of ours opens."""

    rewritten: int
    unreadable: list[str]


def rotate(*, origin: Origin, is_new_key_wanted: bool, are_old_dropped: bool) -> Rotation:
    """Add a key, write all stored secrets with it and drop the old keys, as far as is asked for.

    Can be cut off and run again at any point. Old keys stay when a secret cannot be read. The audit
    trail says what was done. EncryptionError when there is no keyset or it cannot be written.
    """
    path = Path(settings.ENCRYPTION_KEYSET)
    with _alone(path):
        if is_new_key_wanted:
            _change(path, encryption.with_new_key)
        done = Rotation(0, [])
        for app, model, field in settings.ENCRYPTED_COLUMNS:
            found = _rewrite(f"{app}.{model}", field)
            done = Rotation(done.rewritten + found.rewritten, done.unreadable + found.unreadable)
        is_dropping = are_old_dropped and not done.unreadable
        if is_dropping:
            _change(path, encryption.with_newest_only)
    record(
        actor=None,
        action="EncryptionKeysRotated",
        target="keyset",
        origin=origin,
        facts={
            "new_key": is_new_key_wanted,
            "rewritten": done.rewritten,
            "unreadable": done.unreadable,
            "old_keys_dropped": is_dropping,
        },
    )
    return done


def _rewrite(label: str, field: str) -> Rotation:
    """The secrets of one column, in the order of their rows, a batch in a transaction."""
    model = apps.get_model(label)
    rewritten, unreadable, last = 0, [], None
    while True:
        with transaction.atomic():
            rows = model._default_manager.exclude(**{field: None}).order_by("pk")
            if last is not None:
                rows = rows.filter(pk__gt=last)
            batch = list(rows.select_for_update(of=("self",), no_key=True)[:BATCH])
            for row in batch:
                column = encryption.column(label, field, row.pk)
                stored = bytes(getattr(row, field))
                if encryption.is_current(stored):
                    continue
                try:
                    plaintext = encryption.decrypt(stored, bound_to=column)
                except encryption.EncryptionError:
                    unreadable.append(column)
                    continue
                fresh = encryption.encrypt(plaintext, bound_to=column)
                model._default_manager.filter(pk=row.pk).update(**{field: fresh})
                rewritten += 1
        if not batch:
            return Rotation(rewritten, unreadable)
        last = batch[-1].pk


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One rotation at a time; the kernel ends the lock with the process."""
    try:
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _change(path: Path, change: Callable[[str], str]) -> None:
    """Put the changed keyset in the place of the old one, whole or not at all."""
    encryption.encrypt(b"", bound_to="")  # raises, with what to do, where there is no keyset
    fresh = path.with_suffix(".new")
    try:
        text = change(path.read_text(encoding="utf-8"))
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> encryption.EncryptionError:
    return encryption.EncryptionError(
        f"The keyset {path} cannot be written ({error.strerror}): rotate it where it is kept."
    )
