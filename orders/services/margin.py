"""Margin accounts as operators set them."""

from accounts.models import User
from core.domain.origin import Origin
from orders.domain import commands
from orders.services.asking import ask
from portfolio.models import TradingAccount


def set_margin(
    *,
    account: TradingAccount,
    multiplier: int,
    is_shorting_enabled: bool,
    reason: str,
    actor: User,
    origin: Origin,
) -> None:
    """Make the account a margin account, or with multiplier 1 a cash account, on the record."""
    ask(
        commands.SetMargin(
            account_id=account.pk,
            multiplier=multiplier,
            is_shorting_enabled=is_shorting_enabled,
            request_id=origin.request_id,
            reason=reason,
            actor_id=actor.pk,
            address=origin.address,
        )
    )
