"""Cash of one trading account in the engine: total = locked + free, in units of 10^-8."""

from dataclasses import dataclass


class NegativeBalanceError(Exception):
    """A change would have made free or locked cash negative: a fault of ours, stopped before it is
    written.
    """


@dataclass(slots=True)
class BalanceState:
    """`fees` is the sum of all fees that were ever paid out of it."""

    total: int = 0
    locked: int = 0
    fees: int = 0
    is_overdraft_allowed: bool = False

    @property
    def free(self) -> int:
        return self.total - self.locked

    def move(self, amount: int) -> None:
        """Add `amount` (negative: take) to the total."""
        self.total += amount
        self._check()

    def pay_fee(self, amount: int) -> None:
        """Take a fee from the total."""
        self.fees += amount
        self.move(-amount)

    def lock(self, amount: int) -> None:
        """Set `amount` aside for an order (negative: give it back)."""
        self.locked += amount
        self._check()

    def _check(self) -> None:
        if self.locked < 0 or (self.free < 0 and not self.is_overdraft_allowed):
            raise NegativeBalanceError(f"total {self.total}, locked {self.locked}")
