"""Seals the audit trail: settled entries get their links in the chain, one step a transaction.

Run by the clock (tradeportal/schedule.py), apart from the transactions that write entries: a chain
in those would let only one of them write at a time. Follows the trail as the relay follows the
event log, so a step that is killed anywhere has sealed all of its entries or none.
"""

from collections.abc import Sequence
from typing import Any

import structlog
from django.db import connection, transaction

from core.domain.audit_chain import BEFORE_THE_FIRST, digest_of
from core.models import AuditLink
from core.services import outbox
from core.verification.audit_trail import ENTRY_TEXTS, SEALER

STEP_ENTRIES = 1_000
"""Links made in one transaction: bounds its memory, and what a killed step has to do again."""

_ENTRIES = f"""
    SELECT entry.id, {ENTRY_TEXTS} FROM core_auditentry AS entry
    WHERE (entry.transaction_id, entry.id) > (%s::text::xid8, %s)
      AND (entry.transaction_id, entry.id) <= (%s::text::xid8, %s)
    ORDER BY entry.transaction_id, entry.id
"""  # noqa: S608  # columns of ours

logger = structlog.get_logger(__name__)


def seal_audit_trail(key: bytes, *, step_entries: int = STEP_ENTRIES) -> int:
    """Seal every entry that has settled; how many. Nothing when another sealer is at work.

    Each new head is logged: a witness outside of the database.
    """
    sealed = 0
    while links := _seal_next(key, step_entries):
        sealed += len(links)
        logger.info("audit_trail_sealed", head=str(links[-1]))
    return sealed


def _seal_next(key: bytes, limit: int) -> list[AuditLink]:
    """Seal the next entries, all or none; their links, in order."""
    with transaction.atomic():
        if not outbox.try_lead(SEALER):
            return []
        window = outbox.window_after(SEALER, outbox.AUDIT_TRAIL, limit)
        if window.is_empty:
            return []
        links = _links(key, _entries(window))
        AuditLink.objects.bulk_create(links)
        outbox.advance(SEALER, window)
    return links


def _entries(window: outbox.Window) -> Sequence[tuple[Any, ...]]:  # Any: columns of a row
    start, end = window.start, window.end
    with connection.cursor() as cursor:
        place = [start.transaction_id, start.event_id, end.transaction_id, end.event_id]
        cursor.execute(_ENTRIES, place)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _links(key: bytes, entries: Sequence[tuple[Any, ...]]) -> list[AuditLink]:  # Any: likewise
    last = AuditLink.objects.order_by("-position").first()
    position, digest = (last.position, last.digest) if last else (0, BEFORE_THE_FIRST)
    links = []
    for entry_id, *texts in entries:
        position += 1
        digest = digest_of(key, digest, position, texts)
        links.append(AuditLink(position=position, entry_id=entry_id, digest=digest))
    return links
