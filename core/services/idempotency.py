"""Stored answers of requests with an Idempotency-Key (IETF draft idempotency-key-header-07).

Around the act: `begin` claims the key, `finish` stores the answer, `abandon` frees the key when
nothing was done. A key whose act was cut off stays claimed until it expires: its outcome is not
known, and doing it twice is worse than asking.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from core.domain.errors import (
    CODE_CONFLICT,
    CODE_MALFORMED,
    CODE_UNPROCESSABLE,
    ErrorReason,
    Refusal,
)
from core.models import IdempotencyRecord

KEEP = timedelta(hours=24)
MAX_KEY_LENGTH = 255
# A String of RFC 8941: quoted printable ASCII, in which a backslash escapes a quote or itself.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"', re.ASCII)
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the first request with this key was answered."""

    status: int
    body: object


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to act once for a key; hand it back to `finish` or `abandon`."""

    record_id: int


def read_key(header: str) -> str:
    """The key in an Idempotency-Key header, such as `"8e03978e"` with its quotes; else Refusal
    400.
    """
    quoted = _QUOTED.fullmatch(header.strip(" \t"))
    if quoted is None:
        raise _refusal(
            400,
            CODE_MALFORMED,
            ErrorReason.FIELD_INVALID,
            'Idempotency-Key must be a quoted string, such as "8e03978e".',
        )
    return _ESCAPED.sub(r"\1", quoted.group(1))


def request_hash(*, method: str, path: str, body: bytes) -> str:
    """What makes two requests the same: method, path and the bytes of the body."""
    parts = [method.upper().encode(), path.encode(), body]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def begin(*, user_id: int, key: str, request_hash: str, now: datetime) -> Claim | StoredAnswer:
    """Claim the key, or give the stored answer of the same request.

    Refusal 400 for a key that is empty or too long, 422 when the key was used for another request,
    409 while the first request is still being worked on. Commits by itself, before the act.
    """
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise _refusal(
            400,
            CODE_MALFORMED,
            ErrorReason.FIELD_INVALID,
            f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable characters.",
        )
    with transaction.atomic(durable=True):
        mine = IdempotencyRecord.objects.filter(user_id=user_id, key=key)
        mine.filter(created_at__lt=now - KEEP).delete()
        try:
            with transaction.atomic():
                record = mine.create(
                    user_id=user_id, key=key, request_hash=request_hash, created_at=now
                )
        except IntegrityError:  # waits here while another claim of the key is being committed
            return _earlier_answer(mine.select_for_update().first(), request_hash)
    return Claim(record.pk)


def finish(claim: Claim, *, status: int, body: object) -> None:
    """Store what the request was answered, refusals included; `body` must be JSON."""
    IdempotencyRecord.objects.filter(pk=claim.record_id, status__isnull=True).update(
        status=status, response=body
    )


def abandon(claim: Claim) -> None:
    """Free the key: nothing was done, and the same request may be sent again."""
    IdempotencyRecord.objects.filter(pk=claim.record_id, status__isnull=True).delete()


def forget_expired(now: datetime) -> int:
    """Delete what no client may rely on any more; how many records."""
    deleted, _ = IdempotencyRecord.objects.filter(created_at__lt=now - KEEP).delete()
    return deleted


def _earlier_answer(record: IdempotencyRecord | None, request_hash: str) -> StoredAnswer:
    if record is not None and record.request_hash != request_hash:
        raise _refusal(
            422,
            CODE_UNPROCESSABLE,
            ErrorReason.CONFLICT,
            "This Idempotency-Key was used for another request.",
        )
    if record is None or record.status is None:
        raise _refusal(
            409,
            CODE_CONFLICT,
            ErrorReason.CONFLICT,
            "The first request with this Idempotency-Key is still being worked on.",
        )
    return StoredAnswer(record.status, record.response)


def _refusal(status: int, code: int, reason: ErrorReason, message: str) -> Refusal:
    return Refusal(status=status, code=code, reason=reason, message=message)
