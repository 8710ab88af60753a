"""Secrets that we must be able to read again, such as other people's API keys: encrypted where they
are stored, each bound to its row.

AES-256-GCM by tink. The keyset is a file outside the database (docs/encryption.md); a copy of the
database alone, or a ciphertext put into another row, opens nothing.
"""

import json
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from tink import KeysetHandle, TinkError, aead, json_proto_keyset_format, secret_key_access

aead.register()


class EncryptionError(Exception):
    """A stored secret cannot be written or read; the text says what to do and holds no secret."""


def column(label: str, field: str, pk: object) -> str:
    """What a ciphertext is bound to: it opens in this column of this row only. `label` is the
    model's, such as marketdata.Feed.
    """
    return f"{label.lower()}.{field}:{pk}"


def encrypt(plaintext: bytes, *, bound_to: str) -> bytes:
    """The ciphertext of `plaintext` by the newest key, for `decrypt` with the same `bound_to`."""
    return bytes(_primitive(_stamped(_path())).encrypt(plaintext, bound_to.encode()))


def decrypt(ciphertext: bytes, *, bound_to: str) -> bytes:
    """What was encrypted. EncryptionError when the keyset is missing, is another one, or the
    ciphertext was changed or belongs elsewhere.
    """
    path = _path()
    try:
        return bytes(_primitive(_stamped(path)).decrypt(bytes(ciphertext), bound_to.encode()))
    except TinkError as error:
        raise EncryptionError(
            f"A stored secret ({bound_to}) cannot be read with the keyset {path}. Put back the"
            " keyset that it was written with, or set the secret again."
        ) from error


def is_current(ciphertext: bytes) -> bool:
    """Whether the newest key has written it."""
    return bytes(ciphertext[1:5]) == int(_document(_path())["primaryKeyId"]).to_bytes(4, "big")


def with_new_key(keyset: str) -> str:
    """The keyset with one more key, which encrypts from now on; the others still decrypt."""
    old = json.loads(keyset)
    taken = {key["keyId"] for key in old["key"]}
    while True:
        handle = KeysetHandle.generate_new(aead.aead_key_templates.AES256_GCM)
        made = json.loads(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
        if made["primaryKeyId"] not in taken:
            return json.dumps({**old, **made, "key": old["key"] + made["key"]})


def with_newest_only(keyset: str) -> str:
    """The keyset without the keys that encrypt no more."""
    old = json.loads(keyset)
    newest = [key for key in old["key"] if key["keyId"] == old["primaryKeyId"]]
    return json.dumps(old | {"key": newest})


def _path() -> Path:
    return Path(settings.ENCRYPTION_KEYSET)


def _stamped(path: Path) -> tuple[Path, int, int]:
    """The file and its state, so that a running process takes up a keyset that was changed."""
    try:
        state = path.stat()
    except OSError as error:
        raise EncryptionError(
            f"The keyset of stored secrets cannot be found at {path} ({error.strerror}). Put it"
            " back from your backup, or point PORTAL_ENCRYPTION_KEYSET to it. `./portal up` makes a"
            " new one where there is none; secrets stored before must then be set again."
        ) from error
    return path, state.st_mtime_ns, state.st_ino


@lru_cache(maxsize=2)
def _primitive(stamped: tuple[Path, int, int]) -> aead.Aead:
    path = stamped[0]
    try:
        text = path.read_text(encoding="utf-8")
        handle = json_proto_keyset_format.parse(text, secret_key_access.TOKEN)
        return handle.primitive(aead.Aead)
    except (OSError, UnicodeError, TinkError):
        # The cause does not go on: its text might quote the keyset.
        raise EncryptionError(
            f"The file {path} is no keyset that can be read. Put it back from your backup."
        ) from None


def _document(path: Path) -> dict[str, int]:
    _primitive(_stamped(path))  # raises where there is no keyset
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return found
