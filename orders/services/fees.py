"""Fee tiers as operators set them, and which account has which."""

from dataclasses import dataclass
from decimal import Decimal

from accounts.models import User
from core.domain.origin import Origin
from orders.domain import commands
from orders.services.asking import ask
from portfolio.models import FeeTier, TradingAccount


@dataclass(frozen=True, slots=True)
class TierTerms:
    """A fee tier as an operator wants it; rates in basis points."""

    code: str
    name: str
    maker_bps: Decimal
    taker_bps: Decimal


def set_fee_tier(*, terms: TierTerms, reason: str, actor: User, origin: Origin) -> None:
    """Make the tier or change it, from the next fill on, with a reason, on the record."""
    ask(
        commands.SetFeeTier(
            code=terms.code,
            name=terms.name,
            maker_bps=terms.maker_bps,
            taker_bps=terms.taker_bps,
            request_id=origin.request_id,
            reason=reason,
            actor_id=actor.pk,
            address=origin.address,
        )
    )


def set_account_tier(
    *, account: TradingAccount, tier: FeeTier | None, reason: str, actor: User, origin: Origin
) -> None:
    """Give the account a tier, or none, from the next fill on."""
    ask(
        commands.SetAccountTier(
            account_id=account.pk,
            code=tier.code if tier else "",
            request_id=origin.request_id,
            reason=reason,
            actor_id=actor.pk,
            address=origin.address,
        )
    )
