"""Order-entry sessions: docs/requests.md N1 to N5. Which sockets still live is the server's to know
(orders/engine/liveness.py); here is only what opens and what ends, command by command.
"""

from typing import Final

from orders.domain.commands import SubmitOrder
from orders.domain.reasons import CloseReason
from orders.domain.session_commands import EndSession, OpenSession
from orders.engine import lifecycle
from orders.engine.state import EngineState, OrderState
from orders.engine.step import Step
from orders.engine.watches import OrderSession
from risk.domain.reasons import Denial, DenialReason

MAX_SESSIONS: Final = 10_000
"""Sessions that may be open at once, of all accounts."""


def open_session(step: Step, command: OpenSession) -> Denial | None:
    """Let the account's orders belong to this session from now on."""
    account = step.state.accounts.get(command.account_id)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    if len(step.state.order_sessions) >= MAX_SESSIONS:
        return Denial(DenialReason.SESSIONS_EXCEEDED, {"maximum": str(MAX_SESSIONS)})
    if command.session_id in step.state.order_sessions:
        return Denial(DenialReason.SESSION_ENDED, {})
    session = OrderSession(command.session_id, account.id, step.now_ns)
    step.state.order_sessions[session.id] = session
    step.changes.order_sessions[session.id] = session
    return None


def end_session(step: Step, command: EndSession) -> list[OrderState]:
    """Cancel what is open of the session, the oldest order first; the orders."""
    session = step.state.order_sessions.pop(command.session_id, None)
    if session is None:
        return []
    step.changes.order_sessions[session.id] = session._replace(ended_ns=step.now_ns)
    account = step.state.accounts[session.account_id]
    orders = [order for order in account.open_orders.values() if order.session_id == session.id]
    for order in orders:
        lifecycle.cancel(step, order, CloseReason.DISCONNECTED, command.request_id)
    return orders


def check_session(state: EngineState, command: SubmitOrder) -> Denial | None:
    """An order that names a session comes while that one of its account is open (N2)."""
    if command.session_id is None:
        return None
    session = state.order_sessions.get(command.session_id)
    if session is None or session.account_id != command.account_id:
        return Denial(DenialReason.SESSION_ENDED, {})
    return None
