"""Entries as the web side and the engine write them, and their sealing, for tests of the chain."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import User
from core.domain.audit_chain import sealing_key
from core.domain.origin import Origin
from core.models import AuditEntry, AuditLink
from core.services import audit, outbox
from core.services.audit_sealing import seal_audit_trail


def today_key() -> bytes:
    return sealing_key(settings.SECRET_KEY)


def record(
    actor: User | None, now: datetime, facts: Mapping[str, object] | None = None
) -> AuditEntry:
    """Somebody revokes a key, from an address and on request."""
    return audit.record(
        actor=actor,
        action="ApiKeyRevoked",
        target="key:7",
        reason="left the desk",
        facts=facts,
        origin=Origin(now, "192.0.2.7", "request-1"),
    )


def wait_until_settled() -> None:
    """Until the newest entry can be sealed: other databases may hold the horizon for a moment."""
    newest = AuditEntry.objects.order_by("-transaction_id", "-id")[0].pk
    for _ in range(10_000):
        with transaction.atomic():
            if outbox.window_after("nobody", outbox.AUDIT_TRAIL).end.event_id == newest:
                return
    raise AssertionError("entries stay unsettled")


def seal_all() -> None:
    """Seal all that is committed."""
    wait_until_settled()
    seal_audit_trail(today_key())


def sealed_entries() -> list[int]:
    """The ids of the sealed entries, in the order of the chain; its positions have no gaps."""
    links = [*AuditLink.objects.order_by("position")]
    assert [link.position for link in links] == [*range(1, len(links) + 1)]
    return [link.entry_id for link in links]
