"""Proves from the rows alone that orders, ledger, positions, holds and events agree."""

from orders.verification.ledger import discrepancies
from orders.verification.values import Discrepancy

__all__ = ["Discrepancy", "discrepancies"]
