"""Orders and what they made, to read; and what operators tell the engine: cash, halts, new
accounts.

Trading accounts and instruments belong to apps below this one. Their pages are completed here,
where the engine can be asked. Importing a module registers its pages.
"""

from orders.admin import (
    engine,
    fees,
    instruments,
    limits,
    market_plans,
    orders,
    switching,
    trading_accounts,
)

__all__ = [
    "engine",
    "fees",
    "instruments",
    "limits",
    "market_plans",
    "orders",
    "switching",
    "trading_accounts",
]
