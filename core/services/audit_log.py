"""A batch's audit entries, as the engine's commit writes them. Everyone else uses
core.services.audit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from core.batch_sql import EPOCH_SQL, Write, ints, micros, texts

_INSERT = f"""
INSERT INTO core_auditentry (actor_id, action, target, reason, facts, address, request_id,
  occurred_at)
SELECT actor, action, target, reason, facts::jsonb, address::inet, request_id,
  {EPOCH_SQL.format("occurred")}
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
  %s::bigint[])
  AS entry (actor, action, target, reason, facts, address, request_id, occurred)
"""  # noqa: S608  # the only thing formatted in is a constant of ours


class AuditRow(NamedTuple):
    """Who did what to what, from where and why; `occurred_ns` is when."""

    actor_id: int | None
    action: str
    target: str
    reason: str
    facts: dict[str, str]
    address: str | None
    request_id: str
    occurred_ns: int


def entries(rows: Sequence[AuditRow]) -> Write:
    """The rows, in their order, as a part of the engine's commit."""
    return Write(
        _INSERT,
        (
            ints(row.actor_id for row in rows),
            texts(row.action for row in rows),
            texts(row.target for row in rows),
            texts(row.reason for row in rows),
            texts(msgspec.json.encode(row.facts).decode() for row in rows),
            texts(row.address for row in rows),
            texts(row.request_id for row in rows),
            micros(row.occurred_ns for row in rows),
        ),
    )
