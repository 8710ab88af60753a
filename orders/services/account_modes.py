"""What operators set for one account's orders."""

from accounts.models import User
from core.domain.origin import Origin
from orders.domain import commands
from orders.domain.values import StpMode
from orders.services.asking import ask
from portfolio.models import TradingAccount


def set_stp_mode(
    *, account: TradingAccount, mode: StpMode, reason: str, actor: User, origin: Origin
) -> None:
    """Set the default of self-trade prevention for orders accepted from now on, on the record."""
    ask(
        commands.SetStpMode(
            account_id=account.pk,
            mode=mode,
            reason=reason,
            request_id=origin.request_id,
            actor_id=actor.pk,
            address=origin.address,
        )
    )
