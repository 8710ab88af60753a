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
WHERE (closed_at IS NULL) <> (status IN ('HELD', 'QUEUED', 'ACCEPTED', 'TRIGGERED',
    'PARTIALLY_FILLED'))
  OR (filled_quantity + prevented_quantity = quantity) <> (status = 'FILLED'
    OR (status = 'CANCELED' AND reason = 'SELF_TRADE' AND prevented_quantity > 0
      AND filled_quantity + prevented_quantity = quantity))
  OR (status = 'FILLED' AND filled_quantity = 0)
  OR (status IN ('HELD', 'QUEUED', 'ACCEPTED', 'TRIGGERED') AND filled_quantity <> 0)
  OR (status = 'TRIGGERED' AND (stop_price IS NULL OR rank = sequence))
  OR (status = 'ACCEPTED' AND stop_price IS NOT NULL AND rank <> sequence)
  OR (filled_quantity <> 0 AND stop_price IS NOT NULL AND rank = sequence)
  OR (rank < sequence AND replaces IS NULL)
  OR (status = 'QUEUED' AND (stop_price IS NOT NULL OR limit_price IS NULL))
  OR (time_in_force IN ('OPG', 'CLS') AND closed_at IS NULL AND status <> 'QUEUED')
  OR (status NOT IN ('ACCEPTED', 'HELD') AND closed_at IS NULL AND limit_price IS NULL)
  OR (status = 'HELD' AND leg NOT IN ('TAKE_PROFIT', 'STOP_LOSS'))
  OR (status = 'PARTIALLY_FILLED' AND filled_quantity = 0)
  OR (reason <> '') <> (status IN ('CANCELED', 'EXPIRED', 'REPLACED'))
  OR (reason = 'REPLACED') <> (status = 'REPLACED')
  OR (reason IN ('DAY_END', 'GTD_END')) <> (status = 'EXPIRED')
  OR (time_in_force IN ('DAY', 'GTD', 'OPG', 'CLS')) <> (expires_at IS NOT NULL)
  OR (closed_at IS NULL AND time_in_force IN ('IOC', 'FOK'))
  OR (closed_at IS NULL AND type = 'MARKET' AND status <> 'QUEUED')
  OR status NOT IN ('HELD', 'QUEUED', 'ACCEPTED', 'TRIGGERED', 'PARTIALLY_FILLED', 'FILLED',
    'CANCELED', 'EXPIRED', 'REPLACED')
ORDER BY sequence
"""

_REPLACE = """
SELECT format('order %s', coalesce(old.id, new.id)),
  format('is %s and says that %s replaced it; %s says that it replaces %s (%s, %s)', old.status,
    coalesce(old.replaced_by::text, 'nothing'), coalesce(new.id::text, 'nobody'), new.replaces,
    new.side, new.type)
FROM (SELECT * FROM orders_order WHERE status = 'REPLACED' OR replaced_by IS NOT NULL) AS old
FULL JOIN (SELECT * FROM orders_order WHERE replaces IS NOT NULL) AS new
  ON new.id = old.replaced_by
WHERE old.id IS NULL OR new.id IS NULL OR new.replaces <> old.id
  OR (new.account_id, new.instrument_id, new.side, new.type)
    <> (old.account_id, old.instrument_id, old.side, old.type)
  OR new.sequence <= old.sequence OR old.closed_at <> new.submitted_at
ORDER BY coalesce(old.sequence, new.sequence)
"""

_PREVENTED = """
SELECT format('owner %s in instrument %s', account.owner_id, o.instrument_id),
  format('%s of bids and %s of offers were kept from trading with each other',
    trim_scale(coalesce(sum(prevented_quantity) FILTER (WHERE side = 'BUY'), 0)),
    trim_scale(coalesce(sum(prevented_quantity) FILTER (WHERE side = 'SELL'), 0)))
FROM orders_order o JOIN portfolio_tradingaccount account ON account.id = o.account_id
WHERE prevented_quantity > 0
GROUP BY account.owner_id, o.instrument_id
HAVING sum(CASE side WHEN 'BUY' THEN prevented_quantity ELSE -prevented_quantity END) <> 0
ORDER BY account.owner_id, o.instrument_id
"""

_HOLD = """
SELECT format('hold of order %s', coalesce(o.id, hold.order_id)),
  CASE WHEN hold.order_id IS NULL THEN 'the order is open and has no hold'
    WHEN o.id IS NULL THEN 'there is no such order'
    ELSE format('%s with %s of %s left, of account %s; the order is %s, %s, needs %s',
      hold.state, trim_scale(hold.remaining), trim_scale(hold.amount), hold.account_id, o.status,
      o.side, trim_scale(o.needed)) END
FROM (
  SELECT basis.*,
    CASE WHEN is_opening THEN ceil(left_basis * margin_percent * 1000000) / 100000000
      + trunc(left_basis * fee_bps / 10000, 8) ELSE left_basis END AS needed,
    CASE WHEN is_opening THEN ceil(whole_basis * margin_percent * 1000000) / 100000000
      + trunc(whole_basis * fee_bps / 10000, 8) ELSE whole_basis END AS whole
  FROM (
    SELECT orders_order.*, currency_id AS currency,
      CASE WHEN closed_at IS NOT NULL THEN 0
        WHEN leg = 'STOP_LOSS' AND EXISTS (SELECT FROM orders_order AS pair
          WHERE pair.group_id = orders_order.group_id AND pair.leg = 'TAKE_PROFIT'
            AND pair.closed_at IS NULL) THEN 0
        WHEN status = 'HELD' THEN (SELECT sum(entry.filled_quantity) FROM orders_order AS entry
          WHERE entry.group_id = orders_order.group_id AND entry.leg = 'ENTRY')
        ELSE quantity - filled_quantity - prevented_quantity
        END * CASE WHEN is_opening THEN coalesce(hold_price, limit_price) ELSE 1 END AS left_basis,
      quantity * CASE WHEN is_opening THEN coalesce(hold_price, limit_price) ELSE 1 END
        AS whole_basis
    FROM orders_order JOIN portfolio_tradingaccount account ON account.id = account_id
  ) AS basis
) AS o FULL JOIN portfolio_hold hold ON hold.order_id = o.id
WHERE (hold.order_id IS NULL AND o.closed_at IS NULL AND o.needed <> 0)
  OR (hold.order_id IS NOT NULL AND (
    o.id IS NULL OR hold.remaining <> o.needed
    OR CASE WHEN o.leg IN ('TAKE_PROFIT', 'STOP_LOSS') THEN hold.amount > o.whole
      ELSE hold.amount IS DISTINCT FROM o.whole END
    OR (hold.state = 'PENDING') <> (o.closed_at IS NULL)
    OR (hold.state = 'POSTED') <> (o.status = 'FILLED')
    OR hold.account_id <> o.account_id
    OR hold.currency_id IS DISTINCT FROM CASE WHEN o.is_opening THEN o.currency END
    OR hold.instrument_id IS DISTINCT FROM CASE WHEN NOT o.is_opening THEN o.instrument_id END))
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
  OR execution.side <> o.side OR (o.post_only AND execution.liquidity = 'TAKER')
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

_GROUP = """
SELECT format('group %s', group_id),
  format('%s open orders, %s of them entries and %s held, on %s instrument(s) of %s account(s)',
    count(*) FILTER (WHERE closed_at IS NULL),
    count(*) FILTER (WHERE closed_at IS NULL AND leg = 'ENTRY'),
    count(*) FILTER (WHERE status = 'HELD'),
    count(DISTINCT instrument_id), count(DISTINCT account_id))
FROM orders_order WHERE group_id IS NOT NULL
GROUP BY group_id
HAVING count(DISTINCT (instrument_id, account_id, order_class)) > 1
  OR count(*) FILTER (WHERE closed_at IS NULL AND leg = 'ENTRY') > 1
  OR count(*) FILTER (WHERE closed_at IS NULL AND leg = 'TAKE_PROFIT') > 1
  OR count(*) FILTER (WHERE closed_at IS NULL AND leg = 'STOP_LOSS') > 1
  OR (count(*) FILTER (WHERE closed_at IS NULL AND leg = 'ENTRY') = 1
    AND count(*) FILTER (WHERE closed_at IS NULL AND leg <> 'ENTRY' AND status <> 'HELD') > 0)
  OR (count(*) FILTER (WHERE closed_at IS NULL AND leg = 'TAKE_PROFIT') = 1
    AND count(*) FILTER (WHERE closed_at IS NULL AND leg = 'STOP_LOSS' AND rank <> sequence) > 0)
ORDER BY group_id
"""

CHECKS: Final[Mapping[str, str]] = {
    "order_fills": _ORDER_FILLS,
    "order_life": _ORDER_LIFE,
    "replace": _REPLACE,
    "prevented": _PREVENTED,
    "hold": _HOLD,
    "group": _GROUP,
    "execution": _EXECUTION,
    "trade": _TRADE,
}
