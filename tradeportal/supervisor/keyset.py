"""The keyset of stored secrets: made at random with the first start, kept in the data directory.

One AES-256-GCM key in the JSON that tink reads (core/encryption.py), written without loading tink:
the supervisor needs none of the portal's packages for it.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

NAME = "encryption-keyset.json"
KEY_BYTES = 32
KEY_TYPE = "type.googleapis.com/google.crypto.tink.AesGcmKey"
FIELD_OF_KEY = b"\x1a" + bytes([KEY_BYTES])
"""The protocol buffer of such a key: field 3, of so many bytes."""


def ensure(path: Path) -> Path:
    """The keyset at `path`, made and readable by the owner only where there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(new_keyset())
        stream.flush()
        os.fsync(stream.fileno())
    return path


def new_keyset() -> str:
    """A keyset of one random key."""
    key_id = secrets.randbelow(2**31 - 1) + 1
    value = base64.b64encode(FIELD_OF_KEY + secrets.token_bytes(KEY_BYTES)).decode("ascii")
    key = {
        "keyData": {"typeUrl": KEY_TYPE, "value": value, "keyMaterialType": "SYMMETRIC"},
        "status": "ENABLED",
        "keyId": key_id,
        "outputPrefixType": "TINK",
    }
    return json.dumps({"primaryKeyId": key_id, "key": [key]})
