"""API keys without the database: how they look, how their secret is hashed, how a request carries
them.
"""

import base64
import binascii
import hashlib
import hmac
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

KEY_ID_PREFIX = "PK"
KEY_ID_RANDOM_LENGTH = 18
SECRET_BYTES = (
    32  # 256 random bits: a plain hash of it cannot be searched, so none slower is needed
)
MAX_SECRET_LENGTH = 128
MAX_RATE_PER_MINUTE = 60_000_000
_KEY_ID = re.compile(r"PK[A-Z0-9]{18}", re.ASCII)
_ALPHABET = string.ascii_uppercase + string.digits


class Scope(StrEnum):
    """What a key may be used for. TRADE does not contain READ: a key gets exactly what it lists.
    RISK is for those who watch over others: trading states of every scope.
    """

    READ = "read"
    TRADE = "trade"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request acts for. `scopes` is what the key lists and its owner's roles allow."""

    user_id: int
    username: str
    key_id: str
    scopes: frozenset[str]
    roles: frozenset[str]
    rate_limit_per_minute: int


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What a request presented. Never log one: the secret is in the clear."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyPair({self.key_id})"


def make_key_id(choose: Callable[[str], str]) -> str:
    """A new key id; `choose` picks one character (secrets.choice)."""
    return KEY_ID_PREFIX + "".join(choose(_ALPHABET) for _ in range(KEY_ID_RANDOM_LENGTH))


def is_key_id(text: str) -> bool:
    return _KEY_ID.fullmatch(text) is not None


def hash_secret(secret: str) -> str:
    """Hexadecimal SHA-256 of the secret: the only form that is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_same_hash(left: str, right: str) -> bool:
    """Compare in a time that does not depend on where they differ."""
    return hmac.compare_digest(left, right)


def read_key_pair(
    *, key_id: str | None, secret: str | None, authorization: str | None
) -> KeyPair | None:
    """The key pair in `APCA-API-KEY-ID` + `APCA-API-SECRET-KEY`, in `Authorization: Basic`, or in
    both.

    None when it is missing, malformed, half there, or when the two forms disagree.
    """
    basic = _read_basic(authorization) if authorization else None
    if authorization and basic is None:
        return None
    if key_id is None and secret is None:
        return basic
    pair = _checked(key_id or "", secret or "")
    if pair is None or (basic is not None and basic != pair):
        return None
    return pair


def _read_basic(authorization: str) -> KeyPair | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > 512:
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    key_id, _, secret = text.partition(":")
    return _checked(key_id, secret)


def _checked(key_id: str, secret: str) -> KeyPair | None:
    if not is_key_id(key_id) or not 0 < len(secret) <= MAX_SECRET_LENGTH:
        return None
    return KeyPair(key_id, secret)
