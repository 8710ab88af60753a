"""A batch's audit entries, as the engine's commit writes them. Everyone else uses
core.services.audit.
"""

from typing import NamedTuple

import msgspec

from core.batch_columns import WriteRows, address, insert, json, number, text, time


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


entries: WriteRows[AuditRow] = insert(
    "core_auditentry",
    (
        number("actor_id", lambda rows: [row.actor_id for row in rows]),
        text("action", lambda rows: [row.action for row in rows]),
        text("target", lambda rows: [row.target for row in rows]),
        text("reason", lambda rows: [row.reason for row in rows]),
        json("facts", lambda rows: [msgspec.json.encode(row.facts).decode() for row in rows]),
        address("address", lambda rows: [row.address for row in rows]),
        text("request_id", lambda rows: [row.request_id for row in rows]),
        time("occurred_at", lambda rows: [row.occurred_ns for row in rows]),
    ),
)
"""The rows, in their order, as a part of the engine's commit."""
