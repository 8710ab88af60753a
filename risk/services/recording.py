"""How one engine batch's trading states, limits and approvals are written."""

from core.batch_columns import (
    WriteRows,
    flag,
    large_units,
    number,
    text,
    time,
    units,
    update,
    upsert,
)
from risk.domain.rows import ApprovalRow, LimitRow, StateRow, WatermarkRow

trading_states: WriteRows[StateRow] = upsert(
    "risk_tradingstate",
    key=(text("scope", lambda rows: [row.scope.key for row in rows]),),
    changing=(
        text("state", lambda rows: [row.state.state.value for row in rows]),
        number("version", lambda rows: [row.state.version for row in rows]),
        flag("is_clearing", lambda rows: [row.state.is_clearing for row in rows]),
        text("reason", lambda rows: [row.state.reason for row in rows]),
        text("request_id", lambda rows: [row.state.request_id for row in rows]),
        number("changed_by_id", lambda rows: [row.state.changed_by_id for row in rows]),
        time("changed_at", lambda rows: [row.state.changed_ns for row in rows]),
    ),
    fixed=(number("account_id", lambda rows: [row.account_id for row in rows]),),
)
"""The scopes' states as the batch left them."""

limits: WriteRows[LimitRow] = upsert(
    "risk_limit",
    key=(text("key", lambda rows: [row.key.text for row in rows]),),
    changing=(
        units("value", lambda rows: [row.limit.value for row in rows]),
        number("window_seconds", lambda rows: [row.limit.window_seconds for row in rows]),
        number("version", lambda rows: [row.limit.version for row in rows]),
        text("reason", lambda rows: [row.limit.reason for row in rows]),
        text("request_id", lambda rows: [row.limit.request_id for row in rows]),
        number("changed_by_id", lambda rows: [row.limit.changed_by_id for row in rows]),
        time("changed_at", lambda rows: [row.limit.changed_ns for row in rows]),
    ),
    fixed=(
        text("scope", lambda rows: [row.key.scope.key for row in rows]),
        text("kind", lambda rows: [row.key.kind.value for row in rows]),
        number("instrument_id", lambda rows: [row.key.instrument_id or None for row in rows]),
        number("account_id", lambda rows: [row.account_id for row in rows]),
    ),
)
"""The limits as the batch left them."""

watermarks: WriteRows[WatermarkRow] = upsert(
    "risk_watermark",
    key=(number("account_id", lambda rows: [row.account_id for row in rows]),),
    changing=(
        number("day", lambda rows: [row.mark.day for row in rows]),
        large_units("opening", lambda rows: [row.mark.opening for row in rows]),
        large_units("highest", lambda rows: [row.mark.highest for row in rows]),
        text("stopped", lambda rows: [row.mark.stopped.value for row in rows]),
    ),
)
"""What the accounts' losses are measured from, as the batch left it."""

approvals: WriteRows[ApprovalRow] = update(
    "risk_changerequest",
    key=number("id", lambda rows: [row.request for row in rows]),
    changing=(
        text("status", lambda rows: ["APPROVED" for _ in rows]),
        number("decided_by_id", lambda rows: [row.decided_by_id for row in rows]),
        time("decided_at", lambda rows: [row.decided_ns for row in rows]),
    ),
)
"""The requests whose change the batch made."""
