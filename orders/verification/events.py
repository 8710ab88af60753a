"""Checks of the event log against the rows: what listeners were told is what is stored."""

from collections.abc import Mapping
from typing import Final

from core.domain.ids import execution_uuid

_EXECUTION_PREFIX: Final = str(execution_uuid(0))[:24]
"""An event names an execution by this and its number in twelve hexadecimal digits."""

_SEQUENCE = """
SELECT format('events of account %s', account_id),
  format('%s events are numbered from %s to %s', count(*), min(account_sequence),
    max(account_sequence))
FROM core_event WHERE account_id IS NOT NULL
GROUP BY account_id HAVING min(account_sequence) <> 1 OR max(account_sequence) <> count(*)
ORDER BY account_id
"""

_ENVELOPE = """
SELECT format('event %s', event.id),
  format('is %s %s of account %s, its payload says %s %s of %s', event.kind,
    event.account_sequence, account.public_id, event.payload->>'event',
    event.payload->>'account_sequence', event.payload->>'account_id')
FROM core_event event LEFT JOIN portfolio_tradingaccount account ON account.id = event.account_id
WHERE event.account_id IS NOT NULL AND (
  event.payload->>'event' IS DISTINCT FROM event.kind
  OR event.payload->>'account_sequence' IS DISTINCT FROM event.account_sequence::text
  OR event.payload->>'account_id' IS DISTINCT FROM account.public_id::text)
ORDER BY event.id
"""

_FILL_EVENT = f"""
WITH told AS (
  SELECT id, account_id, payload->'execution' AS fill, payload->'order'->>'id' AS order_id,
    CASE WHEN payload->'execution'->>'id' LIKE '{_EXECUTION_PREFIX}%'
      THEN ('x0000' || right(payload->'execution'->>'id', 12))::bit(64)::bigint ELSE -id
    END AS execution_id
  FROM core_event WHERE kind IN ('OrderPartiallyFilled', 'OrderFilled')
)
SELECT coalesce('execution ' || execution.id, 'event ' || told.id),
  CASE WHEN told.id IS NULL THEN 'no event tells of it'
    WHEN execution.id IS NULL THEN 'tells of an execution that is not stored'
    ELSE format('is %s %s at %s, %s, fee %s, of order %s; event %s says %s', execution.side,
      trim_scale(execution.quantity), trim_scale(execution.price), execution.liquidity,
      trim_scale(execution.fee), execution.order_id, told.id, told.fill) END
FROM orders_execution execution FULL JOIN told ON told.execution_id = execution.id
WHERE told.id IS NULL OR execution.id IS NULL
  OR told.account_id <> execution.account_id
  OR told.order_id IS DISTINCT FROM execution.order_id::text
  OR (told.fill->>'price')::numeric IS DISTINCT FROM execution.price
  OR (told.fill->>'quantity')::numeric IS DISTINCT FROM execution.quantity
  OR told.fill->>'side' IS DISTINCT FROM execution.side
  OR coalesce((told.fill->>'fee')::numeric, 0) <> execution.fee
  OR told.fill->>'liquidity' IS DISTINCT FROM execution.liquidity
ORDER BY execution.id, told.id
"""  # noqa: S608  # the only thing formatted in is a constant of ours

_ORDER_EVENT = """
WITH event AS MATERIALIZED (  -- small rows before they are sorted
  SELECT (payload->'order'->>'id')::uuid AS order_id, account_id,
    (payload->'order'->>'filled_quantity')::numeric AS filled,
    (payload->'order'->>'quantity')::numeric AS quantity,
    coalesce((payload->'order'->>'prevented_quantity')::numeric, 0) AS prevented,
    CASE WHEN kind = 'OrderTriggered' THEN 1 END AS election,
    CASE WHEN kind = 'OrderAmended' THEN 1 END AS amendment,
    CASE WHEN kind = 'OrderHeld' THEN 1 END AS holding,
    CASE WHEN kind IN ('OrderAccepted', 'OrderHeld', 'OrderQueued')
      THEN concat_ws(' ', payload->'order'->>'side',
      CASE WHEN payload->'order'->>'hwm' IS NULL THEN concat_ws(' ',
        payload->'order'->>'limit_price', payload->'order'->>'stop_price') END,
      payload->'order'->>'trail_price', payload->'order'->>'trail_percent',
      payload->'order'->>'client_order_id', payload->'order'->>'replaces') END AS beginning,
    CASE WHEN kind IN ('OrderFilled', 'OrderCanceled', 'OrderExpired', 'OrderReplaced')
      THEN concat_ws(' ', payload->'order'->>'status', payload->'order'->>'reason')
    END AS ending
  FROM core_event WHERE kind LIKE 'Order%'
), told AS (
  SELECT order_id, account_id, count(beginning) AS accepted, count(election) AS elected,
    count(holding) AS held,
    count(amendment) AS amended, count(ending) AS closed, max(filled) AS filled,
    max(prevented) AS prevented, min(quantity) AS least, max(quantity) AS most,
    max(beginning) AS beginning, max(ending) AS ending
  FROM event GROUP BY order_id, account_id
), stored AS (
  SELECT *, concat_ws(' ', side, CASE WHEN hwm IS NULL
        THEN concat_ws(' ', trim_scale(limit_price), trim_scale(stop_price)) END,
      trim_scale(trail_price), trim_scale(trail_percent),
      client_order_id, replaces) AS beginning,
    CASE WHEN closed_at IS NOT NULL THEN concat_ws(' ', status, nullif(reason, '')) END AS ending
  FROM orders_order
)
SELECT format('order %s', coalesce(o.id, told.order_id)),
  CASE WHEN told.order_id IS NULL THEN 'no event tells of it'
    WHEN o.id IS NULL THEN format('events tell of it to account %s, it is not stored there',
      told.account_id)
    ELSE format('is "%s", %s of %s filled, ended "%s"; %s event(s) accepted it as "%s",'
      ' %s elected it, %s amended it from %s to %s, %s ended it as "%s" with %s filled',
      o.beginning, trim_scale(o.filled_quantity), trim_scale(o.quantity), o.ending, told.accepted,
      told.beginning, told.elected, told.amended, trim_scale(told.most), trim_scale(told.least),
      told.closed, told.ending, trim_scale(told.filled)) END
FROM stored o FULL JOIN told ON told.order_id = o.id AND told.account_id = o.account_id
WHERE o.id IS NULL OR told.order_id IS NULL
  OR told.accepted NOT IN (1, 1 + told.held)  -- a held leg may queue for an auction later
  OR told.elected <> CASE WHEN o.stop_price IS NULL OR o.rank = o.sequence THEN 0 ELSE 1 END
  OR told.prevented <> o.prevented_quantity
  OR told.least <> o.quantity OR (told.most > o.quantity) <> (told.amended > 0)
  OR told.closed <> CASE WHEN o.closed_at IS NULL THEN 0 ELSE 1 END
  OR told.filled IS DISTINCT FROM o.filled_quantity
  OR told.beginning IS DISTINCT FROM o.beginning OR told.ending IS DISTINCT FROM o.ending
ORDER BY o.sequence, told.order_id
"""

_BALANCE_EVENT = """
WITH last AS (
  SELECT account_id, account_sequence, payload->'balance' AS said
  FROM core_event JOIN (
    SELECT account_id, max(account_sequence) AS account_sequence
    FROM core_event WHERE account_id IS NOT NULL GROUP BY account_id
  ) AS newest USING (account_id, account_sequence)
)
SELECT format('balance of account %s in %s', account.id, account.currency_id),
  format('is %s with %s locked, the last event (%s) says %s',
    coalesce(trim_scale(balance.total)::text, 'missing'), trim_scale(balance.locked),
    coalesce(last.account_sequence::text, 'none'), last.said)
FROM portfolio_tradingaccount account
LEFT JOIN portfolio_balance balance
  ON balance.account_id = account.id AND balance.currency_id = account.currency_id
LEFT JOIN last ON last.account_id = account.id
WHERE account.kind = 'CASH' AND (
  coalesce(balance.total, 0) <> coalesce((last.said->>'total')::numeric, 0)
  OR coalesce(balance.locked, 0) <> coalesce((last.said->>'locked')::numeric, 0))
ORDER BY account.id
"""

CHECKS: Final[Mapping[str, str]] = {
    "event_sequence": _SEQUENCE,
    "event_envelope": _ENVELOPE,
    "fill_event": _FILL_EVENT,
    "order_event": _ORDER_EVENT,
    "balance_event": _BALANCE_EVENT,
}
