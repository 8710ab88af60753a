"""Asks the engine, and says no in one way: every refusal, silence and absence is a Refusal.

The other services make the command and read the reply; what lies between is here.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import transaction

from core.database import database_dsn
from core.domain.clock import Clock, SystemClock
from core.domain.errors import ErrorReason, Refusal
from orders.domain import commands
from orders.domain.replies import AnyReply, BusyReply, DeniedReply
from orders.engine.client import EngineClient, EngineUnavailableError, UnknownOutcomeError
from orders.engine.offline import apply_offline
from risk.domain.reasons import WORDINGS, DenialReason

CODE_UNAVAILABLE = 50310000
CODE_UNKNOWN_OUTCOME = 50310001
CLOCK: Clock = SystemClock()


@cache
def engine_client() -> EngineClient:
    """This process's blocking client; it keeps one connection a thread."""
    return EngineClient(Path(settings.ENGINE_SOCKET), settings.ENGINE_REPLY_TIMEOUT_SECONDS)


def ask(command: commands.AnyCommand) -> AnyReply:
    """The engine's reply, with every kind of no raised as a Refusal."""
    try:
        return accept(engine_client().request(command))
    except EngineUnavailableError as error:
        raise unavailable() from error
    except UnknownOutcomeError as error:
        raise unknown_outcome(command) from error


def wait_for_commits() -> None:
    """Return when all that the engine has taken by now is committed and can be read."""
    try:
        accept(engine_client().request(commands.AwaitCommit()))
    except (EngineUnavailableError, UnknownOutcomeError) as error:
        raise unavailable() from error  # it was only asked, so nothing is unknown


def ask_running_or_not(asked: list[commands.AnyCommand]) -> list[AnyReply]:
    """Ask the running engine, or commit directly while none runs (seeding, a stopped portal)."""
    replies: list[AnyReply] = []
    try:
        for command in asked:
            replies.append(engine_client().request(command))
    except UnknownOutcomeError as error:
        raise unknown_outcome(command) from error
    except EngineUnavailableError as error:
        if transaction.get_connection().in_atomic_block:
            raise  # the rows these commands need are not visible to another connection yet
        return replies + _apply_offline(asked[len(replies) :], error)
    return replies


def _apply_offline(
    asked: list[commands.AnyCommand], error: EngineUnavailableError
) -> list[AnyReply]:
    """Commit what a running engine did not take; Refusal when one leads and cannot be reached."""
    try:
        return apply_offline(
            asked, dsn=database_dsn(), segment=settings.ENGINE_SEGMENT, clock=CLOCK
        )
    except EngineUnavailableError:
        raise unavailable() from error


def accept(reply: AnyReply) -> AnyReply:
    """The reply itself, or its refusal raised."""
    if isinstance(reply, DeniedReply):
        raise refusal_of(DenialReason(reply.reason), reply.facts, reply.sentence)
    if isinstance(reply, BusyReply):
        raise unavailable()
    return reply


def refusal_of(reason: DenialReason, facts: Mapping[str, str], sentence: str) -> Refusal:
    """A rule's no as the API tells it."""
    wording = WORDINGS[reason]
    return Refusal(
        status=wording.status, code=wording.code, reason=reason, message=sentence, facts=facts
    )


def unavailable() -> Refusal:
    """Nothing was done; trying again is safe."""
    return Refusal(
        status=503,
        code=CODE_UNAVAILABLE,
        reason=ErrorReason.UNAVAILABLE,
        message="The order engine cannot be reached. Nothing was done; try again in a moment.",
    )


def unknown_outcome(command: commands.AnyCommand) -> Refusal:
    """Something may have been done; for an order, asking for it by either id tells."""
    facts: dict[str, object] = {}
    message = "Look at what is there now before you try again."
    if isinstance(command, commands.SubmitOrder | commands.ReplaceOrder):
        order_id = str(command.order_id)
        facts = {"order_id": order_id, "client_order_id": command.client_order_id or order_id}
        message = "Look the order up by its client_order_id before you send it again."
    elif isinstance(command, commands.OrderBatch):
        facts = {"order_ids": [str(part.order_id) for part in command.orders]}
        message = "Look the orders up by their ids before you send them again."
    return Refusal(
        status=503,
        code=CODE_UNKNOWN_OUTCOME,
        reason=ErrorReason.UNKNOWN_OUTCOME,
        message=f"No answer came in time, so the outcome is unknown. {message}",
        facts=facts,
    )
