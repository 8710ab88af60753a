"""Checks of orders: fills, life, holds, and both sides of every trade."""

from collections.abc import Mapping
from typing import Final

_ORDER_FILLS = """
WITH filled AS (
  SELECT order_id, sum(quantity) AS quantity, sum(price * quantity) AS notional
  FROM orders_execution GROUP BY order_id
)
SELECT format('order %s', o.id),
  format('filled_quantity is %s for %s, the executions add up to %s for %s',
    trim_scale(o.filled_quantity), trim_scale(o.filled_notional),
    trim_scale(coalesce(filled.quantity, 0)), trim_scale(coalesce(filled.notional, 0)))
FROM orders_order o LEFT JOIN filled ON filled.order_id = o.id
WHERE o.filled_quantity <> coalesce(filled.quantity, 0)
  OR o.filled_notional <> coalesce(filled.notional, 0)
ORDER BY o.sequence
"""

_ORDER_LIFE = """
SELECT format('order %s', id),
  format('status is %s with %s of %s filled, reason "%s", closed at %s', status,
    trim_scale(filled_quantity), trim_scale(quantity), reason, coalesce(closed_at::text, 'never'))
FROM orders_order
WHERE (closed_at IS NULL) <> (status IN ('ACCEPTED', 'PARTIALLY_FILLED'))
  OR (filled_quantity = quantity) <> (status = 'FILLED')
  OR (status = 'ACCEPTED' AND filled_quantity <> 0)
  OR (status = 'PARTIALLY_FILLED' AND filled_quantity = 0)
  OR (reason <> '') <> (status IN ('CANCELED', 'EXPIRED'))
  OR (reason = 'DAY_END') <> (status = 'EXPIRED')
  OR (closed_at IS NULL AND (type = 'MARKET' OR time_in_force IN ('IOC', 'FOK')))
  OR status NOT IN ('ACCEPTED', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'EXPIRED')
ORDER BY sequence
"""

_HOLD = """
SELECT format('hold of order %s', coalesce(o.id, hold.order_id)),
  CASE WHEN hold.order_id IS NULL THEN 'the order is open and has no hold'
    WHEN o.id IS NULL THEN 'there is no such order'
    ELSE format('%s with %s of %s left, of account %s; the order is %s, %s, needs %s',
      hold.state, trim_scale(hold.remaining), trim_scale(hold.amount), hold.account_id, o.status,
      o.side, trim_scale(o.needed)) END
FROM (
  SELECT orders_order.*, currency_id AS currency,
    CASE WHEN closed_at IS NOT NULL THEN 0
      ELSE (quantity - filled_quantity) * CASE side WHEN 'BUY' THEN limit_price ELSE 1 END
    END AS needed,
    quantity * CASE side WHEN 'BUY' THEN limit_price ELSE 1 END AS whole
  FROM orders_order JOIN portfolio_tradingaccount account ON account.id = account_id
) AS o FULL JOIN portfolio_hold hold ON hold.order_id = o.id
WHERE (hold.order_id IS NULL AND o.closed_at IS NULL)
  OR (hold.order_id IS NOT NULL AND (
    o.id IS NULL OR hold.remaining <> o.needed OR hold.amount IS DISTINCT FROM o.whole
    OR (hold.state = 'PENDING') <> (o.closed_at IS NULL)
    OR (hold.state = 'POSTED') <> (o.status = 'FILLED')
    OR hold.account_id <> o.account_id
    OR hold.currency_id IS DISTINCT FROM CASE o.side WHEN 'BUY' THEN o.currency END
    OR hold.instrument_id IS DISTINCT FROM CASE o.side WHEN 'SELL' THEN o.instrument_id END))
ORDER BY o.sequence, hold.order_id
"""

_EXECUTION = """
SELECT format('execution %s', execution.id),
  format('%s %s of instrument %s at %s by account %s, but order %s is %s, limit %s, of account %s',
    execution.side, trim_scale(execution.quantity), execution.instrument_id,
    trim_scale(execution.price), execution.account_id, o.id, o.side,
    coalesce(trim_scale(o.limit_price)::text, 'none'), o.account_id)
FROM orders_execution execution JOIN orders_order o ON o.id = execution.order_id
WHERE execution.account_id <> o.account_id OR execution.instrument_id <> o.instrument_id
  OR execution.side <> o.side
  OR (o.side = 'BUY' AND execution.price > o.limit_price)
  OR (o.side = 'SELL' AND execution.price < o.limit_price)
ORDER BY execution.id
"""

_TRADE = """
WITH trade AS (
  SELECT trade_id, count(*) AS sides, min(id) AS first_id,
    max(account_id) FILTER (WHERE side = 'BUY') AS buyer,
    max(account_id) FILTER (WHERE side = 'SELL') AS seller,
    (min(price), min(quantity), min(instrument_id))
      = (max(price), max(quantity), max(instrument_id)) AS is_agreed,
    min(liquidity) <> max(liquidity) AS has_maker_and_taker,
    min(price * quantity) AS notional
  FROM orders_execution GROUP BY trade_id
), street AS (SELECT id FROM portfolio_tradingaccount WHERE kind = 'STREET'),
posted AS (SELECT * FROM portfolio_transfer WHERE kind = 'TRADE')
SELECT format('trade %s', trade_id),
  format('%s execution(s), buyer %s, seller %s, for %s; transfer %s of %s from %s to %s',
    coalesce(trade.sides, 0), coalesce(trade.buyer::text, 'the street'),
    coalesce(trade.seller::text, 'the street'),
    coalesce(trim_scale(trade.notional)::text, 'nothing'),
    coalesce(posted.id::text, 'missing'), trim_scale(posted.amount), posted.debit_account_id,
    posted.credit_account_id)
FROM trade FULL JOIN posted USING (trade_id)
WHERE trade.sides IS NULL OR posted.id IS NULL
  OR trade.sides > 2 OR NOT trade.is_agreed OR trade.first_id <> trade_id
  OR (trade.sides = 2 AND (
    trade.buyer IS NULL OR trade.seller IS NULL OR NOT trade.has_maker_and_taker))
  OR posted.amount <> trade.notional
  OR posted.debit_account_id IS DISTINCT FROM coalesce(trade.buyer, (SELECT id FROM street))
  OR posted.credit_account_id IS DISTINCT FROM coalesce(trade.seller, (SELECT id FROM street))
ORDER BY trade_id, posted.id
"""

CHECKS: Final[Mapping[str, str]] = {
    "order_fills": _ORDER_FILLS,
    "order_life": _ORDER_LIFE,
    "hold": _HOLD,
    "execution": _EXECUTION,
    "trade": _TRADE,
}
