"""How one engine batch's trading states and approvals are written."""

from core.batch_columns import WriteRows, flag, number, text, time, update, upsert
from risk.domain.rows import ApprovalRow, StateRow

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
