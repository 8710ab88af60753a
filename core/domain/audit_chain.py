"""The chain over the audit trail: what is computed of an entry so that nobody can change it unseen.

Each digest covers its entry, its position and the digest before it, with a key that is not in the
database: who may write there and does not know the key cannot make a changed trail agree.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

BEFORE_THE_FIRST = ""
"""What stands in the place of the digest before position 1."""

_PURPOSE = b"tradeportal audit chain\0"
_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: whoever has noted it can later tell whether what led to it is there."""

    position: int
    digest: str

    def __str__(self) -> str:
        return f"{self.position}:{self.digest}"


def read_head(text: str) -> Head | None:
    """A head as it is written; None for anything else."""
    found = _HEAD.fullmatch(text.strip())
    return Head(int(found[1]), found[2]) if found else None


def sealing_key(secret: str) -> bytes:
    """The chain's own key: what is signed with the same secret for sessions is of no use here."""
    return hashlib.sha256(_PURPOSE + secret.encode()).digest()


def digest_of(key: bytes, before: str, position: int, entry: Sequence[str | None]) -> str:
    """The digest at `position` for an entry in the words of core.verification.audit_trail."""
    message = json.dumps([before, position, *entry]).encode()  # a list of texts has one spelling
    return hmac.new(key, message, hashlib.sha256).hexdigest()
