"""Checks of the money side: balances against transfers and holds, positions against holds."""

from collections.abc import Mapping
from typing import Final

_CURRENCY_SUM = """
SELECT format('currency %s', currency_id),
  format('the balances add up to %s, not 0', trim_scale(sum(total)))
FROM portfolio_balance GROUP BY currency_id HAVING sum(total) <> 0 ORDER BY currency_id
"""

_INSTRUMENT_SUM = """
SELECT format('instrument %s', instrument.symbol),
  format('the positions add up to %s, not 0', trim_scale(sum(quantity)))
FROM portfolio_position JOIN marketdata_instrument instrument ON instrument.id = instrument_id
GROUP BY instrument.symbol HAVING sum(quantity) <> 0 ORDER BY instrument.symbol
"""

_BALANCE_TOTAL = """
WITH moved AS (
  SELECT account_id, currency_id, sum(amount) AS total
  FROM (
    SELECT credit_account_id AS account_id, currency_id, amount FROM portfolio_transfer
    UNION ALL
    SELECT debit_account_id, currency_id, -amount FROM portfolio_transfer
  ) AS posting
  GROUP BY account_id, currency_id
)
SELECT format('balance of account %s in %s', account_id, currency_id),
  format('total is %s, the transfers in and out add up to %s',
    coalesce(trim_scale(balance.total)::text, 'missing'), trim_scale(coalesce(moved.total, 0)))
FROM portfolio_balance balance FULL JOIN moved USING (account_id, currency_id)
WHERE coalesce(balance.total, 0) <> coalesce(moved.total, 0)
ORDER BY account_id, currency_id
"""

_BALANCE_LOCKED = """
WITH held AS (
  SELECT account_id, currency_id, sum(remaining) AS total
  FROM portfolio_hold WHERE state = 'PENDING' AND currency_id IS NOT NULL
  GROUP BY account_id, currency_id
)
SELECT format('balance of account %s in %s', account_id, currency_id),
  format('locked is %s, the pending holds add up to %s',
    coalesce(trim_scale(balance.locked)::text, 'missing'), trim_scale(coalesce(held.total, 0)))
FROM portfolio_balance balance FULL JOIN held USING (account_id, currency_id)
WHERE coalesce(balance.locked, 0) <> coalesce(held.total, 0)
ORDER BY account_id, currency_id
"""

_POSITION_LOCKED = """
WITH held AS (
  SELECT account_id, instrument_id, sum(remaining) AS total
  FROM portfolio_hold WHERE state = 'PENDING' AND instrument_id IS NOT NULL
  GROUP BY account_id, instrument_id
)
SELECT format('position of account %s in instrument %s', account_id, instrument_id),
  format('locked is %s, the pending holds add up to %s',
    coalesce(trim_scale(position.locked)::text, 'missing'), trim_scale(coalesce(held.total, 0)))
FROM portfolio_position position FULL JOIN held USING (account_id, instrument_id)
WHERE coalesce(position.locked, 0) <> coalesce(held.total, 0)
ORDER BY account_id, instrument_id
"""

_OVERDRAFT = """
SELECT format('balance of account %s in %s', account.id, balance.currency_id),
  format('free is %s and is_overdraft_allowed is %s on a %s account',
    trim_scale(balance.total - balance.locked), balance.is_overdraft_allowed, account.kind)
FROM portfolio_balance balance JOIN portfolio_tradingaccount account
  ON account.id = balance.account_id
WHERE balance.is_overdraft_allowed <> (account.kind <> 'CASH' OR account.margin_multiplier > 1)
  OR (account.kind = 'CASH' AND balance.locked < 0)
  OR (account.kind = 'CASH' AND account.margin_multiplier = 1 AND balance.total < balance.locked)
ORDER BY account.id
"""

_SHORT = """
SELECT format('position of account %s in instrument %s', account.id, position.instrument_id),
  format('quantity is %s, locked is %s and is_short_allowed is %s on a %s account',
    trim_scale(position.quantity), trim_scale(position.locked), position.is_short_allowed,
    account.kind)
FROM portfolio_position position JOIN portfolio_tradingaccount account
  ON account.id = position.account_id
WHERE position.is_short_allowed <> (account.kind <> 'CASH' OR account.margin_multiplier > 1)
  OR (account.kind = 'CASH' AND (abs(position.quantity) < position.locked OR position.locked < 0))
  OR (account.kind = 'CASH' AND NOT account.is_shorting_enabled AND position.quantity < 0)
ORDER BY account.id, position.instrument_id
"""

CHECKS: Final[Mapping[str, str]] = {
    "currency_sum": _CURRENCY_SUM,
    "instrument_sum": _INSTRUMENT_SUM,
    "balance_total": _BALANCE_TOTAL,
    "balance_locked": _BALANCE_LOCKED,
    "position_locked": _POSITION_LOCKED,
    "overdraft": _OVERDRAFT,
    "short_position": _SHORT,
}
