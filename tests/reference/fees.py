"""Fees as docs/fees-and-margin.md has them (H1 to H4), in fractions."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import floor

UNIT, ZERO = Fraction(1, 10**8), Fraction(0)
NO_FEES = (Fraction(0), Fraction(0))


@dataclass
class Fees:
    """Rates (maker, taker) by tier, and the tier of each account."""

    tiers: dict[str, tuple[Fraction, Fraction]] = field(default_factory=dict)
    accounts: dict[int, str] = field(default_factory=dict)
    paid: dict[int, Fraction] = field(default_factory=dict)

    def set_tier(self, code: str, maker: Decimal, taker: Decimal) -> bool:
        """H1; whether the rates are such as may be."""
        steps = [Fraction(rate) * 10_000 for rate in (maker, taker)]
        if any(step.denominator != 1 for step in steps) or not 0 <= maker <= taker <= 1_000:
            return False
        self.tiers[code] = (Fraction(maker) / 10_000, Fraction(taker) / 10_000)
        return True

    def rates(self, account: int) -> tuple[Fraction, Fraction]:
        return self.tiers.get(self.accounts.get(account, ""), NO_FEES)

    def charge(self, account: int, amount: Fraction, cap: Fraction, *, is_maker: bool) -> Fraction:
        """H2, H3: what a fill of this amount costs the account."""
        maker, taker = self.rates(account)
        fee = fee_on(amount, min(maker if is_maker else taker, cap))
        self.paid[account] = self.paid.get(account, Fraction(0)) + fee
        return fee


def fee_on(amount: Fraction, rate: Fraction) -> Fraction:
    return Fraction(floor(amount * rate * 10**8), 10**8) if rate else ZERO
