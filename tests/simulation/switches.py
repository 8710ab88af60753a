"""Switches of trading states in a scenario's short text: "halt account:3" as the engine takes it.

What a switch could not cancel at once is canceled commit by commit, as the server does it.
"""

from orders.domain.commands import ExpireOrders
from orders.domain.replies import AnyReply, SwitchedReply
from risk.domain.commands import Consent, JoinDesk, SwitchTrading
from risk.domain.scopes import read_scope
from risk.domain.states import TradingState
from tests.simulation.floor import Floor, denial

OLGA, ODIN = 21, 22


def switch_command(
    scope: str, state: str, *, actor: int | None = OLGA, consent: Consent | None = None
) -> SwitchTrading:
    """The command; `scope` by its key."""
    return SwitchTrading(
        scope=read_scope(scope),
        state=TradingState(state),
        reason="a reason",
        request_id=f"switch-{scope}",
        actor_id=actor,
        consent=consent,
    )


def switch(floor: Floor, scope: str, state: str) -> str:
    """One person's switch, with all that it cancels: "HALTED 1, 2 orders", or what refused it."""
    reply = floor.do(switch_command(scope, state))
    finish(floor)
    return told(reply)


def approve(
    floor: Floor, scope: str, state: str, version: int, *, asked_by: int = OLGA, by: int = ODIN
) -> str:
    """A switch that `asked_by` asked for and `by` approves."""
    consent = Consent(request=7, asked_by_id=asked_by, version=version)
    reply = floor.do(switch_command(scope, state, actor=by, consent=consent))
    finish(floor)
    return told(reply)


def finish(floor: Floor) -> None:
    while floor.core.is_clearing:
        floor.core.apply(ExpireOrders(), floor.now_ns)


def told(reply: AnyReply) -> str:
    if isinstance(reply, SwitchedReply):
        return f"{reply.state} {reply.version}, {reply.canceled} orders"
    return denial(reply)


def join_desk(floor: Floor, account_id: int, desk_id: int | None) -> str:
    reply = floor.do(JoinDesk(account_id, desk_id, "a reason", "join", OLGA))
    return "joined" if type(reply).__name__ == "DoneReply" else denial(reply)
