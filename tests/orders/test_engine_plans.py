"""What an order costs the database does not depend on how many there were before it."""

import pytest
from django.db import connection

from core.batch_sql import Write, one_statement
from orders.engine import store
from orders.engine.process import BY_KEY_ONLY
from portfolio.services import posting

pytestmark = pytest.mark.django_db
CONDITION = Write(
    "UPDATE orders_enginelease SET batch = 1 WHERE segment = %s RETURNING 1", ("main",)
)


def plan_of(sql: str) -> str:
    """The plan that the engine's connection makes once and keeps, on tables that are empty yet."""
    with connection.cursor() as cursor:
        cursor.execute(BY_KEY_ONLY.replace("SET ", "SET LOCAL "))
        # A cursor of Django's would take the numbered parameters for its own.
        raw = cursor.connection.cursor().execute(f"EXPLAIN (GENERIC_PLAN) {sql}")
        return "\n".join(line for (line,) in raw.fetchall())


def test_a_client_order_id_is_looked_up_by_itself() -> None:
    asked = store.KNOWN_CLIENT_IDS

    plan = plan_of(asked)

    assert "Index Scan using order_client_id_once on orders_order" in plan
    assert "Seq Scan on orders_order" not in plan


def test_a_batch_reaches_every_row_by_its_key() -> None:
    writes = [
        store.plain_orders([]),
        store.new_orders([]),
        store.plain_changes([]),
        store.changed_orders([]),
        store.executions([]),
        posting.transfers([]),
        posting.balances([]),
        posting.positions([]),
        posting.holds([]),
    ]
    batch, _ = one_statement(CONDITION, writes)

    plan = plan_of(batch)

    assert plan.count("Index Scan using orders_order_pkey on orders_order") == 2
    assert "Hash Join" not in plan
    assert "Merge Join" not in plan
    assert plan.count("Seq Scan") == 0
