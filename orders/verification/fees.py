"""Checks of fees: what executions say, what the ledger moved, what balances remember.

Rules H2, H3 and H5 of docs/fees-and-margin.md.
"""

from collections.abc import Mapping
from typing import Final

_FEE = """
WITH charged AS (
  SELECT execution.*, trunc(execution.price * execution.quantity * o.fee_bps / 10000, 8) AS most
  FROM orders_execution execution JOIN orders_order o ON o.id = execution.order_id
), posted AS (SELECT * FROM portfolio_transfer WHERE kind = 'FEE')
SELECT coalesce('execution ' || charged.id, 'transfer ' || posted.id),
  CASE WHEN charged.id IS NULL THEN format('a fee of trade %s for nothing that account %s did',
      posted.trade_id, posted.debit_account_id)
    ELSE format('its fee is %s, its order allows %s; transfer %s of %s to account %s',
      trim_scale(charged.fee), trim_scale(charged.most), coalesce(posted.id::text, 'missing'),
      trim_scale(posted.amount), posted.credit_account_id) END
FROM charged FULL JOIN posted
  ON posted.trade_id = charged.trade_id AND posted.debit_account_id = charged.account_id
WHERE charged.id IS NULL OR charged.fee > charged.most
  OR charged.fee <> coalesce(posted.amount, 0)
  OR posted.credit_account_id <> (SELECT id FROM portfolio_tradingaccount WHERE kind = 'HOUSE')
ORDER BY charged.id, posted.id
"""

_FEES_PAID = """
WITH paid AS (
  SELECT debit_account_id AS account_id, currency_id, sum(amount) AS total
  FROM portfolio_transfer WHERE kind = 'FEE' GROUP BY debit_account_id, currency_id
)
SELECT format('balance of account %s in %s', account_id, currency_id),
  format('fees_paid is %s, the fee transfers add up to %s',
    coalesce(trim_scale(balance.fees_paid)::text, 'missing'), trim_scale(coalesce(paid.total, 0)))
FROM portfolio_balance balance FULL JOIN paid USING (account_id, currency_id)
WHERE coalesce(balance.fees_paid, 0) <> coalesce(paid.total, 0)
ORDER BY account_id, currency_id
"""

CHECKS: Final[Mapping[str, str]] = {
    "fee": _FEE,
    "fees_paid": _FEES_PAID,
}
