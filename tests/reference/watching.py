"""Keys that asked to be watched (docs/requests.md D1 to D4), sockets whose orders end with them
(N1, N2). Part of the slow engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.domain import commands
from orders.domain.session_commands import EndSession, OpenSession
from tests.reference.state import Refused

if TYPE_CHECKING:
    from tests.reference.engine import ReferenceEngine


def watch(engine: ReferenceEngine, command: commands.SetDeadMan) -> object:
    if command.account_id not in engine.cash_accounts:
        raise Refused("ACCOUNT_UNKNOWN")
    engine.watched = [row for row in engine.watched if row[0] != command.key_id]
    if command.timeout_seconds:
        fires_ns = engine.now_ns + command.timeout_seconds * 10**9
        engine.watched.append((command.key_id, command.account_id, fires_ns))
        return ("WATCHED", fires_ns)
    return ("WATCHED", None)


def open_session(engine: ReferenceEngine, command: OpenSession) -> object:
    if command.account_id not in engine.cash_accounts:
        raise Refused("ACCOUNT_UNKNOWN")
    if command.session_id in engine.sessions:
        raise Refused("SESSION_ENDED")
    engine.sessions[command.session_id] = command.account_id
    return "DONE"


def end_session(engine: ReferenceEngine, command: EndSession) -> object:
    account = engine.sessions.pop(command.session_id, 0)
    return [
        engine.end(order, "DISCONNECTED")
        for order in engine.open_orders(account)
        if order.asked.session_id == command.session_id
    ]


def fire(engine: ReferenceEngine, now_ns: int) -> list[object]:
    ended: list[object] = []
    for key, account, fires_ns in sorted(engine.watched):
        if fires_ns <= now_ns:
            for order in engine.open_orders(account):
                if order.key == key:
                    ended.append(engine.end(order, "DEAD_MAN"))
    engine.watched = [row for row in engine.watched if row[2] > now_ns]
    return ended
