"""Stored answers of requests with an Idempotency-Key (IETF draft idempotency-key-header-07).

Around the act: `begin` claims the key, `finish` stores the answer, `abandon` gives the claim back
when nothing was done. A claim whose act was cut off is taken over by the next request, if the act
can be finished without doing it twice (Drawn); else it stays until it expires.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

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
class Drawn:
    """What lets a cut-off act be finished by a later request: everything it makes bears an id that
    comes from `id`, so that a second try finds what the first one made. Nobody works on a claim any
    more `after` that time.
    """

    id: UUID
    after: timedelta


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to act once for a key; hand it back to `finish` or `abandon`.

    `drawn_id` is what was drawn by the first who claimed it. `claimed_at` begins the time in which
    the act must be over; `taken_from` is when the claim that was taken over began.
    """

    record_id: int
    drawn_id: UUID | None = None
    claimed_at: datetime | None = None
    taken_from: datetime | None = None


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


def begin(
    *, user_id: int, key: str, request_hash: str, now: datetime, drawn: Drawn | None = None
) -> Claim | StoredAnswer:
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
                    user_id=user_id,
                    key=key,
                    request_hash=request_hash,
                    created_at=now,
                    drawn_id=drawn.id if drawn else None,
                    claimed_at=now if drawn else None,
                )
        except IntegrityError:  # waits here while another claim of the key is being committed
            earlier = mine.select_for_update().first()
            taken = _take_over(earlier, request_hash, now, drawn)
            return taken or _earlier_answer(earlier, request_hash)
    return Claim(record.pk, record.drawn_id, record.claimed_at)


def finish(claim: Claim, *, status: int, body: object) -> None:
    """Store what the request was answered, refusals included; `body` must be JSON."""
    IdempotencyRecord.objects.filter(pk=claim.record_id, status__isnull=True).update(
        status=status, response=body
    )


def abandon(claim: Claim) -> None:
    """Give the claim back: nothing was done now, and the same request may be sent again.

    A key that was claimed for the first time is free. One that was taken over stays claimed, since
    what the request before it has done is as unknown as it was, and may be taken over at once.
    """
    mine = IdempotencyRecord.objects.filter(
        pk=claim.record_id, status__isnull=True, claimed_at=claim.claimed_at
    )
    if claim.taken_from is None:
        mine.delete()
    else:
        mine.update(claimed_at=claim.taken_from)


def forget_expired(now: datetime) -> int:
    """Delete what no client may rely on any more; how many records."""
    deleted, _ = IdempotencyRecord.objects.filter(created_at__lt=now - KEEP).delete()
    return deleted


def _take_over(
    record: IdempotencyRecord | None, request_hash: str, now: datetime, drawn: Drawn | None
) -> Claim | None:
    """The claim of a request that was cut off; None for one that is answered or still at work."""
    if record is None or record.request_hash != request_hash or record.status is not None:
        return None
    began = record.claimed_at
    if drawn is None or began is None or now - began < drawn.after:
        return None
    record.claimed_at = now
    record.save(update_fields=["claimed_at"])
    return Claim(record.pk, record.drawn_id, now, taken_from=began)


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
