"""The named limits of an order. A limit is a number with a reason, never a surprise."""

from decimal import Decimal
from typing import Final

from core.domain.units import UNITS_PER_ONE

MAX_PRICE: Final = Decimal(10_000_000)
"""Highest limit price: above every listed instrument, far below what the columns hold."""

MAX_QUANTITY: Final = Decimal(100_000_000)
"""Largest order quantity."""

MAX_NOTIONAL_UNITS: Final = 1_000_000_000 * UNITS_PER_ONE
"""Largest value of one order in its quote currency: a slipped digit stops here."""

MAX_CASH_UNITS: Final = 10_000_000_000 * UNITS_PER_ONE
"""Largest single deposit or adjustment: one amount in units fits 64 bits, sums are wider."""

MAX_OPEN_ORDERS_PER_ACCOUNT: Final = 100_000
"""Bounds the engine's memory for one account (about 1 kB an order)."""
