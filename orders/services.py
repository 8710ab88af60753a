"""What pages, API, admin and commands ask for: each call is one command to the engine.

Nothing here decides about money; the engine does and has committed before these return. A refusal
by rule is raised as core.domain.errors.Refusal with the engine's reason, facts and sentence.
"""

from decimal import Decimal
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from core.database import database_dsn
from core.domain.clock import Clock, SystemClock
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
from risk.domain.reasons import WORDINGS, DenialReason

CODE_UNAVAILABLE = 50310000
CODE_UNKNOWN_OUTCOME = 50310001
CLOCK: Clock = SystemClock()


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
    """The engine's command for `spec`, with a new order id."""
    return commands.SubmitOrder(
        order_id=new_id(CLOCK.now_ns()),
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
    *, owner: User, name: str, cash: Decimal, actor: User | None, request_id: str
) -> TradingAccount:
    """Open a cash account for `owner` and deposit `cash` into it (0: none)."""
    now = CLOCK.now()
    with transaction.atomic():
        opened = [*create_house_accounts(now=now), create_account(owner=owner, name=name, now=now)]
    account = opened[-1]
    asked: list[commands.AnyCommand] = [
        commands.OpenAccount(row.pk, row.public_id, row.kind, row.currency_id) for row in opened
    ]
    if cash:
        asked.append(commands.MoveCash(account.pk, cash, "DEPOSIT", "opening", request_id))
    for reply in ask_running_or_not(asked):
        accept(reply)
    audit.record(
        actor=actor,
        action="TradingAccountOpened",
        target=f"trading-account:{account.pk}",
        reason="",
        facts={"owner": owner.username, "cash": str(cash)},
        origin=Origin(address=None, request_id=request_id, now=CLOCK.now()),
    )
    return account


def adjust_cash(
    *, account: TradingAccount, amount: Decimal, reason: str, actor: User, request_id: str
) -> BalanceView:
    """Add `amount` to (negative: take it from) an account's cash, with a reason, on the record."""
    reply = ask(commands.MoveCash(account.pk, amount, "ADJUSTMENT", reason, request_id))
    assert isinstance(reply, BalanceReply)
    audit.record(
        actor=actor,
        action="CashAdjusted",
        target=f"trading-account:{account.pk}",
        reason=reason,
        facts={"amount": str(amount), "total": reply.balance.total},
        origin=Origin(address=None, request_id=request_id, now=CLOCK.now()),
    )
    return reply.balance


def set_instrument_status(
    *, instrument: Instrument, status: str, reason: str, actor: User, request_id: str
) -> None:
    """Halt or reopen trading in an instrument (Instrument.Status), with a reason, on the record."""
    ask(commands.SetInstrumentStatus(instrument.symbol, status, request_id))
    audit.record(
        actor=actor,
        action="InstrumentHalted" if status == "HALTED" else "InstrumentReopened",
        target=f"instrument:{instrument.symbol}",
        reason=reason,
        facts={},
        origin=Origin(address=None, request_id=request_id, now=CLOCK.now()),
    )


def ask(command: commands.AnyCommand) -> AnyReply:
    """The engine's reply, with every kind of no raised as a Refusal."""
    try:
        return accept(engine_client().request(command))
    except EngineUnavailableError as error:
        raise unavailable() from error
    except UnknownOutcomeError as error:
        raise unknown_outcome() from error


def ask_running_or_not(asked: list[commands.AnyCommand]) -> list[AnyReply]:
    """Ask the running engine, or commit directly while none runs (seeding, a stopped portal)."""
    try:
        return [engine_client().request(command) for command in asked]
    except EngineUnavailableError:
        if transaction.get_connection().in_atomic_block:
            raise  # the rows these commands need are not visible to another connection yet
        return apply_offline(
            asked, dsn=database_dsn(), segment=settings.ENGINE_SEGMENT, clock=CLOCK
        )


def accept(reply: AnyReply) -> AnyReply:
    """The reply itself, or its refusal raised."""
    if isinstance(reply, DeniedReply):
        wording = WORDINGS[DenialReason(reply.reason)]
        raise Refusal(
            status=wording.status,
            code=wording.code,
            reason=DenialReason(reply.reason),
            message=reply.sentence,
            facts=reply.facts,
        )
    if isinstance(reply, BusyReply):
        raise unavailable()
    return reply


def unavailable() -> Refusal:
    """Nothing was done; trying again is safe."""
    return Refusal(
        status=503,
        code=CODE_UNAVAILABLE,
        reason=ErrorReason.UNAVAILABLE,
        message="The order engine cannot be reached. Nothing was done; try again in a moment.",
    )


def unknown_outcome() -> Refusal:
    """Something may have been done; asking by client order id tells."""
    return Refusal(
        status=503,
        code=CODE_UNKNOWN_OUTCOME,
        reason=ErrorReason.UNKNOWN_OUTCOME,
        message="No answer came in time, so the outcome is unknown. "
        "Look the order up by its client_order_id before you send it again.",
    )
