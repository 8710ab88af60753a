"""Several orders of one account in one request: placed or canceled in one commit of the engine."""

from collections.abc import Sequence
from uuid import UUID

from accounts.models import User
from core.domain.errors import Refusal
from core.services.idempotency import Claim
from orders.domain import commands
from orders.domain.order_request import OrderSpec
from orders.domain.replies import AnyReply, BatchReply, BusyReply, CanceledReply, OrderReply
from orders.domain.views import OrderView
from orders.services.asking import accept, ask, unavailable
from orders.services.ordering import claimed_order, placed_before, submit_command
from portfolio.models import TradingAccount

BatchOutcome = OrderView | Refusal
"""What became of one order of a batch."""


def submit_batch(
    *,
    account: TradingAccount,
    specs: Sequence[OrderSpec],
    submitted_by: User,
    request_id: str,
    claim: Claim | None = None,
    key_id: str = "",
) -> list[BatchOutcome]:
    """Place the orders one after another in one commit, each on its own merits.

    Refusal when nothing was done at all, or nobody knows.
    """
    command = batch_command(
        account_id=account.pk,
        specs=specs,
        submitted_by_id=submitted_by.pk,
        request_id=request_id,
        claim=claim,
        key_id=key_id,
    )
    return placed_outcomes(command, ask(command))


def batch_command(
    *,
    account_id: int,
    specs: Sequence[OrderSpec],
    submitted_by_id: int,
    request_id: str,
    claim: Claim | None = None,
    key_id: str = "",
) -> commands.OrderBatch:
    """The engine's command for all of them, with an id for each (submit_command)."""
    return commands.OrderBatch(
        [
            submit_command(
                account_id=account_id,
                spec=spec,
                submitted_by_id=submitted_by_id,
                request_id=request_id,
                claimed=claimed_order(claim, number) if claim else None,
                key_id=key_id,
            )
            for number, spec in enumerate(specs)
        ]
    )


def placed_outcomes(command: commands.OrderBatch, reply: AnyReply) -> list[BatchOutcome]:
    """Each order, or why it was refused; one that an earlier try has placed is found."""
    outcomes = batch_outcomes(reply)
    for number, (part, outcome) in enumerate(zip(command.orders, outcomes, strict=True)):
        if isinstance(outcome, Refusal) and isinstance(part, commands.SubmitOrder):
            outcomes[number] = placed_before(part, outcome) or outcome
    return outcomes


def cancel_batch(
    *, account: TradingAccount, order_ids: Sequence[UUID], request_id: str
) -> list[BatchOutcome]:
    """Cancel these orders of the account in one commit."""
    return batch_outcomes(ask(cancel_batch_command(account.pk, order_ids, request_id)))


def cancel_batch_command(
    account_id: int, order_ids: Sequence[UUID], request_id: str
) -> commands.OrderBatch:
    return commands.OrderBatch(
        [commands.CancelOrder(order_id, account_id, request_id) for order_id in order_ids]
    )


def batch_outcomes(reply: AnyReply) -> list[BatchOutcome]:
    """The parts of a batch's reply. Refusal when none of them was taken."""
    assert isinstance(reply, BatchReply)
    if all(isinstance(part, BusyReply) for part in reply.replies):
        raise unavailable()
    return [_outcome(part) for part in reply.replies]


def _outcome(part: AnyReply) -> BatchOutcome:
    try:
        accept(part)
    except Refusal as refusal:
        return refusal
    if isinstance(part, OrderReply):
        return part.order
    assert isinstance(part, CanceledReply)
    return part.orders[0]
