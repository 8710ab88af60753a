"""Appends to the audit trail: who did what to what, from where and why.

Called inside the transaction of the act itself, so that the act and its entry stand or fall
together. What the engine does it records itself, with core.services.audit_log.
"""

from collections.abc import Mapping

from django.contrib.auth.models import AbstractBaseUser

from core.domain.origin import Origin
from core.models import AuditEntry

MAX_TARGET_LENGTH = 128
MAX_REASON_LENGTH = 500


def record(
    *,
    actor: AbstractBaseUser | None,
    action: str,
    target: str,
    origin: Origin,
    reason: str = "",
    facts: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Write one entry and give it back. `action` is a past participle such as `ApiKeyRevoked`.

    `facts` must be JSON and must never hold a secret. Texts are cut to their columns: an overlong
    name offered by a stranger must not keep his failed sign-in out of the record.
    """
    return AuditEntry.objects.create(
        actor_id=None if actor is None else actor.pk,
        action=action,
        target=_storable(target, MAX_TARGET_LENGTH),
        reason=_storable(reason, MAX_REASON_LENGTH),
        facts=dict(facts or {}),
        address=origin.address,
        request_id=origin.request_id,
        occurred_at=origin.now,
    )


def _storable(text: str, length: int) -> str:
    """PostgreSQL takes neither NUL nor half a surrogate pair."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")[:length]
