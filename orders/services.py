"""What pages, API, admin and commands ask for: each call is one command to the engine.

Nothing here decides about money; the engine does and has committed before these return. A refusal
by rule is raised as core.domain.errors.Refusal with the engine's reason, facts and sentence.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from core.database import database_dsn
from core.domain.clock import NANOSECONDS_PER_SECOND, Clock, SystemClock
from core.domain.errors import ErrorReason, Refusal
from core.domain.ids import new_id
from core.domain.origin import Origin
from core.services import audit
from marketdata.models import Instrument
from orders.domain import commands
from orders.domain.order_request import OrderSpec
from orders.domain.replies import (
    AnyReply,
    BalanceReply,
    BusyReply,
    CanceledReply,
    DeniedReply,
    OrderReply,
)
from orders.domain.views import BalanceView, OrderView
from orders.engine.client import EngineClient, EngineUnavailableError, UnknownOutcomeError
from orders.engine.offline import apply_offline
from portfolio.models import TradingAccount
from portfolio.services.accounts import create_account, create_house_accounts
from risk.domain.checks import check_cash_amount
from risk.domain.reasons import WORDINGS, DenialReason

CODE_UNAVAILABLE = 50310000
CODE_UNKNOWN_OUTCOME = 50310001
CLOCK: Clock = SystemClock()
GOOD_FOR_SECONDS = settings.ENGINE_REPLY_TIMEOUT_SECONDS - 1
"""How long an order may wait for the engine: a commit later, its client is still listening."""


@cache
def engine_client() -> EngineClient:
    """This process's blocking client; it keeps one connection a thread."""
    return EngineClient(Path(settings.ENGINE_SOCKET), settings.ENGINE_REPLY_TIMEOUT_SECONDS)


def submit_order(
    *, account: TradingAccount, spec: OrderSpec, submitted_by: User, request_id: str
) -> OrderView:
    """Place an order; returns it as committed. Refusal when a rule turns it down."""
    reply = ask(
        submit_command(
            account_id=account.pk, spec=spec, submitted_by_id=submitted_by.pk, request_id=request_id
        )
    )
    assert isinstance(reply, OrderReply)
    return reply.order


def submit_command(
    *, account_id: int, spec: OrderSpec, submitted_by_id: int, request_id: str
) -> commands.SubmitOrder:
    """The engine's command for `spec`, with a new order id, good for as long as we wait for it."""
    now_ns = CLOCK.now_ns()
    return commands.SubmitOrder(
        order_id=new_id(now_ns),
        account_id=account_id,
        symbol=spec.symbol,
        client_order_id=spec.client_order_id,
        side=spec.side,
        type=spec.type,
        time_in_force=spec.time_in_force,
        quantity=spec.quantity,
        limit_price=spec.limit_price,
        submitted_by_id=submitted_by_id,
        request_id=request_id,
        good_until_ns=now_ns + GOOD_FOR_SECONDS * NANOSECONDS_PER_SECOND,
    )


def cancel_order(*, account: TradingAccount, order_id: UUID, request_id: str) -> OrderView:
    """Cancel one open order of the account; returns it as committed."""
    reply = ask(commands.CancelOrder(order_id, account.pk, request_id))
    assert isinstance(reply, CanceledReply)
    return reply.orders[0]


def cancel_all_orders(*, account: TradingAccount, request_id: str) -> list[OrderView]:
    """Cancel every open order of the account; returns those that were open."""
    reply = ask(commands.CancelAllOrders(account.pk, request_id))
    assert isinstance(reply, CanceledReply)
    return reply.orders


def open_account(
    *, owner: User, name: str, cash: Decimal, actor: User | None, origin: Origin
) -> TradingAccount:
    """Open a cash account for `owner` and deposit `cash` into it (0: none).

    Refusal before anything is made for an amount that could not be deposited; afterwards only when
    the engine did not answer, and then the account exists.
    """
    denial = check_cash_amount(cash) if cash else None
    if denial is not None:
        raise refusal_of(denial.reason, denial.facts, denial.sentence)
    with transaction.atomic():
        account = create_account(owner=owner, name=name, now=origin.now)
        opened = [*create_house_accounts(now=origin.now), account]
        audit.record(
            actor=actor,
            action="TradingAccountOpened",
            target=f"trading-account:{account.pk}",
            facts={"owner": owner.username, "name": name},
            origin=origin,
        )
    asked: list[commands.AnyCommand] = [
        commands.OpenAccount(row.pk, row.public_id, row.kind, row.currency_id) for row in opened
    ]
    if cash:
        asked.append(_cash_command(account, cash, "DEPOSIT", "Opening deposit", actor, origin))
    for reply in ask_running_or_not(asked):
        accept(reply)
    return account


def adjust_cash(
    *, account: TradingAccount, amount: Decimal, reason: str, actor: User, origin: Origin
) -> BalanceView:
    """Add `amount` to (negative: take it from) an account's cash, with a reason, on the record."""
    reply = ask(_cash_command(account, amount, "ADJUSTMENT", reason, actor, origin))
    assert isinstance(reply, BalanceReply)
    return reply.balance


def _cash_command(
    account: TradingAccount,
    amount: Decimal,
    kind: str,
    reason: str,
    actor: User | None,
    origin: Origin,
) -> commands.MoveCash:
    return commands.MoveCash(
        account_id=account.pk,
        amount=amount,
        kind=kind,
        reason=reason,
        request_id=origin.request_id,
        actor_id=actor.pk if actor else None,
        address=origin.address,
    )


def set_instrument_status(
    *, instrument: Instrument, status: str, reason: str, actor: User, origin: Origin
) -> None:
    """Halt or reopen trading in an instrument (Instrument.Status), with a reason, on the record."""
    ask(
        commands.SetInstrumentStatus(
            symbol=instrument.symbol,
            status=status,
            request_id=origin.request_id,
            reason=reason,
            actor_id=actor.pk,
            address=origin.address,
        )
    )


def ask(command: commands.AnyCommand) -> AnyReply:
    """The engine's reply, with every kind of no raised as a Refusal."""
    try:
        return accept(engine_client().request(command))
    except EngineUnavailableError as error:
        raise unavailable() from error
    except UnknownOutcomeError as error:
        raise unknown_outcome(command) from error


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
    facts: dict[str, str] = {}
    message = "Look at what is there now before you try again."
    if isinstance(command, commands.SubmitOrder):
        order_id = str(command.order_id)
        facts = {"order_id": order_id, "client_order_id": command.client_order_id or order_id}
        message = "Look the order up by its client_order_id before you send it again."
    return Refusal(
        status=503,
        code=CODE_UNKNOWN_OUTCOME,
        reason=ErrorReason.UNKNOWN_OUTCOME,
        message=f"No answer came in time, so the outcome is unknown. {message}",
        facts=facts,
    )
