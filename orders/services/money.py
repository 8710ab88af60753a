"""Trading accounts that are opened, and cash that operators put in or take out."""

from decimal import Decimal

from django.db import transaction

from accounts.models import User
from core.domain.origin import Origin
from core.services import audit
from orders.domain import commands
from orders.domain.replies import BalanceReply
from orders.domain.views import BalanceView
from orders.services.asking import accept, ask, ask_running_or_not, refusal_of
from portfolio.models import TradingAccount
from portfolio.services.accounts import create_account, create_house_accounts
from risk.domain.checks import check_cash_amount


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
        commands.OpenAccount(row.pk, row.public_id, row.kind, row.currency_id, row.owner_id)
        for row in opened
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
