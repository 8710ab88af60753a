"""What an account's people set for it."""

from collections.abc import Mapping

from accounts.models import User
from core.domain.origin import Origin
from orders.domain import commands
from orders.services.asking import ask
from portfolio.models import TradingAccount


def configure_account(
    *, account: TradingAccount, changes: Mapping[str, bool], actor: User, origin: Origin
) -> None:
    """Set suspend_trade, no_shorting or both, for orders that come from now on; on the record."""
    ask(
        commands.ConfigureAccount(
            account_id=account.pk,
            suspend_trade=changes.get("suspend_trade"),
            no_shorting=changes.get("no_shorting"),
            request_id=origin.request_id,
            actor_id=actor.pk,
            address=origin.address,
        )
    )
