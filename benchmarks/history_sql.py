"""What benchmarks/filling.py says to PostgreSQL: which rows belong to a sample of orders, and how a
copy of each differs from it.

A column that is not named here is copied as it is, so a new one needs no line; times are moved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import sql

PREPARE: tuple[LiteralString, ...] = (
    "CREATE SCHEMA history",
    # A time-ordered id as it would have been that many milliseconds later.
    """
    CREATE FUNCTION history.moved(id uuid, milliseconds bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(to_hex(milliseconds
      + ('x' || left(id::text, 8) || substr(id::text, 10, 4))::bit(48)::bigint), 12, '0')
      || substr(id::text, 14))::uuid $$
    """,
    "CREATE TABLE history.portfolio_balance AS SELECT * FROM portfolio_balance",
    "CREATE TABLE history.portfolio_position AS SELECT * FROM portfolio_position",
)

COUNTERS: Mapping[str, LiteralString] = {
    "sequence": "SELECT max(sequence) FROM orders_order",
    "execution": "SELECT max(id) FROM orders_execution",
    "transfer": "SELECT max(id) FROM portfolio_transfer",
    "event": "SELECT max(id) FROM core_event",
    "batch": "SELECT max(batch) FROM orders_journal",
}
"""The newest number of each kind."""

ACCOUNTS: tuple[LiteralString, ...] = (
    "DROP TABLE IF EXISTS history.account",
    # What an account's event numbers of a copy are beyond those of the sample.
    """
    CREATE TABLE history.account AS
    SELECT account_id, max(account_sequence) - min(account_sequence) + 1 AS size,
      (SELECT max(account_sequence) FROM core_event WHERE account_id = sample.account_id)
        - max(account_sequence) AS since
    FROM history.core_event AS sample GROUP BY account_id
    """,
)

MONEY: tuple[LiteralString, ...] = (
    """
    CREATE TABLE history.cash AS
    SELECT id, now.total - before.total AS total, now.fees_paid - before.fees_paid AS fees_paid
    FROM portfolio_balance AS now JOIN history.portfolio_balance AS before USING (id)
    """,
    """
    CREATE TABLE history.quantity AS
    SELECT id, now.quantity - coalesce(before.quantity, 0) AS quantity,
      now.cost_basis - coalesce(before.cost_basis, 0) AS cost_basis,
      now.realized_pnl - coalesce(before.realized_pnl, 0) AS realized_pnl
    FROM portfolio_position AS now LEFT JOIN history.portfolio_position AS before USING (id)
    """,
)
"""What the sample moved."""

MOVE_MONEY: tuple[LiteralString, ...] = (
    """
    UPDATE portfolio_balance SET total = portfolio_balance.total + %(copies)s * moved.total,
      fees_paid = portfolio_balance.fees_paid + %(copies)s * moved.fees_paid
    FROM history.cash AS moved WHERE moved.id = portfolio_balance.id
    """,
    """
    UPDATE portfolio_position SET
      quantity = portfolio_position.quantity + %(copies)s * moved.quantity,
      cost_basis = portfolio_position.cost_basis + %(copies)s * moved.cost_basis,
      realized_pnl = portfolio_position.realized_pnl + %(copies)s * moved.realized_pnl
    FROM history.quantity AS moved WHERE moved.id = portfolio_position.id
    """,
    "UPDATE orders_enginelease SET batch = (SELECT max(batch) FROM orders_journal)",
    "SELECT setval(pg_get_serial_sequence('core_event', 'id'), (SELECT max(id) FROM core_event))",
)
"""What so many copies have moved, and where the numbers go on."""

IS_ANYTHING_OPEN = "SELECT EXISTS (SELECT FROM orders_order WHERE closed_at IS NULL)"

RELAY_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('relay', 0))"
READ_ON = """
UPDATE core_eventreader SET transaction_id = pg_current_xact_id(),
  event_id = (SELECT max(id) FROM core_event) WHERE name = 'relay'
"""
"""What is history was told long ago."""

IS_TOLD = """
SELECT NOT EXISTS (SELECT FROM core_event AS event, core_eventreader AS reader
  WHERE reader.name = 'relay'
    AND (event.transaction_id, event.id) > (reader.transaction_id, reader.event_id))
"""


@dataclass(frozen=True, slots=True)
class Copied:
    """A table whose rows are copied. `kept`: which belong to the sample, and what of them is kept.
    `changed`: the columns of a copy that differ; `left_out`: those that get their default.
    """

    kept: LiteralString
    changed: Mapping[str, LiteralString]
    left_out: frozenset[str] = field(default_factory=frozenset)
    joined: LiteralString = ""


COPIED: Mapping[LiteralString, Copied] = {
    "orders_order": Copied(
        kept="SELECT * FROM orders_order WHERE sequence > %(sequence)s",
        changed={
            "id": "history.moved(old.id, %(milliseconds)s)",
            "sequence": "old.sequence + %(sequence)s",
            "rank": "old.rank + %(sequence)s",
            "client_order_id": "%(name)s || old.client_order_id",
        },
    ),
    "orders_execution": Copied(
        kept="SELECT * FROM orders_execution WHERE id > %(execution)s",
        changed={
            "id": "old.id + %(execution)s",
            "trade_id": "old.trade_id + %(execution)s",
            "order_id": "history.moved(old.order_id, %(milliseconds)s)",
        },
    ),
    "portfolio_transfer": Copied(
        kept="SELECT * FROM portfolio_transfer WHERE id > %(transfer)s",
        changed={
            "id": "old.id + %(transfer)s",
            "trade_id": "old.trade_id + %(execution)s",
        },
    ),
    "portfolio_hold": Copied(
        kept="""
        SELECT hold.* FROM portfolio_hold AS hold JOIN orders_order ON orders_order.id = order_id
        WHERE sequence > %(sequence)s
        """,
        changed={"order_id": "history.moved(old.order_id, %(milliseconds)s)"},
    ),
    # Of what an event tells only what says which it is and what verify_ledger compares: whole ones
    # would be 4.6 kB an order.
    "core_event": Copied(
        kept="""
        SELECT event.id, kind, event.version, account_id, account_sequence, occurred_at,
          recorded_at, transaction_id, jsonb_build_object(
          'event', told->'event', 'account_id', told->'account_id',
          'account_sequence', told->'account_sequence', 'order', (
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(told->'order')
            WHERE key = ANY ('{id,client_order_id,side,status,reason,quantity,limit_price,
              filled_quantity}') AND value <> 'null'),
          'execution', (
            SELECT jsonb_object_agg(key, value)
            FROM jsonb_each(nullif(told->'execution', 'null'))
            WHERE key <> ALL ('{order_id,symbol,occurred_at}'))) AS payload,
          ('x' || right(told->'execution'->>'id', 12))::bit(48)::bigint AS execution_id,
          (told->'order'->>'id')::uuid AS order_id
        FROM (SELECT *, payload::jsonb AS told FROM core_event) AS event
        WHERE event.id > %(event)s
        """,
        changed={
            "id": "old.id + %(event)s",
            "account_sequence": "old.account_sequence + account.since + %(number)s * account.size",
            "payload": """
            jsonb_set(jsonb_set(jsonb_set(jsonb_set(old.payload,
              '{account_sequence}',
              to_jsonb(old.account_sequence + account.since + %(number)s * account.size)),
              '{order,id}', to_jsonb(history.moved(old.order_id, %(milliseconds)s))),
              '{order,client_order_id}',
              to_jsonb(%(name)s || (old.payload->'order'->>'client_order_id'))),
              '{execution,id}', coalesce(to_jsonb('7ead0000-0000-8000-8000-'
                || lpad(to_hex(old.execution_id + %(execution)s), 12, '0')), 'null'), false)
            """,
        },
        left_out=frozenset({"transaction_id"}),
        joined="JOIN history.account USING (account_id)",
    ),
    "core_consumedevent": Copied(
        kept="SELECT * FROM core_consumedevent WHERE event_id > %(event)s",
        changed={"event_id": "old.event_id + %(event)s"},
        left_out=frozenset({"id"}),
    ),
    "orders_journal": Copied(
        kept="SELECT * FROM orders_journal WHERE kind = 'BATCH' AND batch > %(batch)s",
        changed={"batch": "old.batch + %(batch)s"},
    ),
}
"""In a copy's statement the names of counters are what is added to the sample's numbers."""

COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position
"""


def copy_statement(table: LiteralString, columns: list[tuple[LiteralString, str]]) -> sql.Composed:
    """Make one copy of the table's sample; `columns`: each with its type."""
    copied = COPIED[table]
    chosen = [(name, kind) for name, kind in columns if name not in copied.left_out]
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM history.{} AS old {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join([sql.Identifier(name) for name, _ in chosen]),
        sql.SQL(", ").join([sql.SQL(_expression(copied, *column)) for column in chosen]),
        sql.Identifier(table),
        sql.SQL(copied.joined),
    )


def _expression(copied: Copied, name: LiteralString, kind: str) -> LiteralString:
    if name in copied.changed:
        return copied.changed[name]
    if kind == "timestamp with time zone":
        return f"old.\"{name}\" + %(milliseconds)s * interval '1 millisecond'"
    return f'old."{name}"'
