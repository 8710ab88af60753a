"""Checks that what the engine's rows name is there: the database itself does not look at each row
(docs/adr/0016-references-of-hot-tables.md).
"""

from collections.abc import Mapping
from typing import Final

_REFERENCES: Final = (
    ("orders_order", "account_id", "portfolio_tradingaccount", "id"),
    ("orders_order", "instrument_id", "marketdata_instrument", "id"),
    ("orders_execution", "order_id", "orders_order", "id"),
    ("orders_execution", "account_id", "portfolio_tradingaccount", "id"),
    ("orders_execution", "instrument_id", "marketdata_instrument", "id"),
    ("portfolio_transfer", "debit_account_id", "portfolio_tradingaccount", "id"),
    ("portfolio_transfer", "credit_account_id", "portfolio_tradingaccount", "id"),
    ("portfolio_transfer", "currency_id", "marketdata_currency", "code"),
    ("portfolio_hold", "account_id", "portfolio_tradingaccount", "id"),
    ("portfolio_hold", "instrument_id", "marketdata_instrument", "id"),
    ("portfolio_hold", "currency_id", "marketdata_currency", "code"),
)


def _missing(table: str, column: str, named: str, key: str) -> str:
    """A row for each value that is named and is not there, however many rows name it."""
    row = f"'{table}.{column} ' || {column}, 'names a row of {named} that is not there'"
    values = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
    found = f"SELECT FROM {named} WHERE {named}.{key} = named_by.{column}"
    return f"SELECT {row} FROM ({values}) AS named_by WHERE NOT EXISTS ({found})"  # noqa: S608


CHECKS: Final[Mapping[str, str]] = {
    "reference": " UNION ALL ".join([_missing(*reference) for reference in _REFERENCES])
    + " ORDER BY 1",
}
