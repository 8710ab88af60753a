"""The dead-man timer of an API key: docs/requests.md D1 to D4.

A program that keeps calling keeps its orders; when it falls silent, the engine cancels them. The
deadline is a row, so it outlives the engine, and is looked at before every batch.
"""

from core.services.audit_log import AuditRow
from orders.domain.commands import SetDeadMan
from orders.domain.reasons import CloseReason
from orders.domain.replies import DeadManReply
from orders.engine import lifecycle
from orders.engine.state import OrderState
from orders.engine.step import Step
from orders.engine.watches import DeadMan

SECOND_NS = 1_000_000_000


def arm(step: Step, command: SetDeadMan) -> DeadManReply:
    """Watch the key from now on, anew if it was watched already; or no more."""
    fires_ns: int | None = None
    if command.timeout_seconds:
        fires_ns = step.now_ns + command.timeout_seconds * SECOND_NS
    if fires_ns is not None or command.key_id in step.state.dead_men:
        _set(step, DeadMan(command.key_id, command.account_id, fires_ns))
    return DeadManReply(step.now_ns, fires_ns)


def fire_due(step: Step) -> list[OrderState]:
    """Cancel the orders of the keys whose time is over, each key's oldest first; the orders."""
    if not step.state.dead_men:
        return []
    due = [
        watched
        for watched in step.state.dead_men.values()
        if watched.fires_ns is not None and watched.fires_ns <= step.now_ns
    ]
    canceled: list[OrderState] = []
    for watched in sorted(due):
        canceled += _fire(step, watched)
    return canceled


def _fire(step: Step, watched: DeadMan) -> list[OrderState]:
    account = step.state.accounts[watched.account_id]
    orders = [order for order in account.open_orders.values() if order.key_id == watched.key_id]
    request_id = f"dead-man-{watched.key_id}"
    for order in orders:
        lifecycle.cancel(step, order, CloseReason.DEAD_MAN, request_id)
    _set(step, watched._replace(fires_ns=None))
    step.changes.audits.append(
        AuditRow(
            actor_id=None,
            action="DeadManFired",
            target=watched.key_id,
            reason="",
            facts={"account": account.public_id, "orders": str(len(orders))},
            address=None,
            request_id=request_id,
            occurred_ns=step.now_ns,
        )
    )
    return orders


def _set(step: Step, watched: DeadMan) -> None:
    if watched.fires_ns is None:
        step.state.dead_men.pop(watched.key_id, None)
    else:
        step.state.dead_men[watched.key_id] = watched
    step.changes.dead_men[watched.key_id] = watched
