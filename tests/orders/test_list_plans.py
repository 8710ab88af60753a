"""What a page of a list costs does not depend on how much there is before and behind it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.selectors import ActivityPage, activities_of, executions_of, orders_of
from portfolio.domain.activities import ACTIVITY_TYPES
from tests.orders.desk import Desk, offline

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
A_PAGE = 50


UNWANTED = ("enable_seqscan", "enable_bitmapscan", "enable_sort")
MANY_CLOSED = """
INSERT INTO orders_order SELECT (jsonb_populate_record(one, jsonb_build_object(
  'id', gen_random_uuid(), 'sequence', one.sequence + number, 'rank', one.sequence + number,
  'client_order_id', number, 'submitted_at', one.submitted_at + number * interval '1 minute'))).*
FROM orders_order AS one, generate_series(1, 3000) AS number
"""


@pytest.fixture(autouse=True)
def full_tables(desk: Desk) -> Iterator[None]:
    """Many closed orders and few open ones, and plans as of tables so full that nobody would read
    or sort them whole.
    """
    offline(desk.submit("alice", "BUY 1 @ 10 IOC"))
    with connection.cursor() as cursor:
        cursor.execute(MANY_CLOSED)
        offline(desk.submit("alice", "BUY 1 @ 10"))
        cursor.execute("ANALYZE orders_order")
        for setting in UNWANTED:
            cursor.execute(f"SET {setting} = off")
        yield
        for setting in UNWANTED:
            cursor.execute(f"RESET {setting}")


def plans_of(read: Callable[[], object]) -> list[str]:
    """How PostgreSQL does each statement of `read`."""
    with CaptureQueriesContext(connection) as asked:
        read()
    plans = []
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans


def test_a_list_of_orders_begins_at_its_time_and_is_in_order(desk: Desk) -> None:
    orders = orders_of(desk.accounts["alice"])
    wanted = {
        "newest": orders,
        "open": orders.filter(closed_at__isnull=True),
        "since": orders.filter(submitted_at__gt=NOON),
        "from long ago": orders.filter(submitted_at__lt=NOON),
        "oldest": orders.filter(submitted_at__gt=NOON).order_by("submitted_at", "sequence"),
    }

    plans = {name: plans_of(lambda rows=rows: list(rows[:A_PAGE])) for name, rows in wanted.items()}

    for name, (plan,) in plans.items():
        index = "order_open" if name == "open" else "order_by_account"
        assert f"using {index} on orders_order" in plan, name
        assert "Sort Key: orders_order" not in plan, name
    assert "(submitted_at > '2026-03-02 12:00:00+00'" in plans["since"][0]
    assert "(submitted_at < '2026-03-02 12:00:00+00'" in plans["from long ago"][0]


def test_the_newest_executions_are_read_in_order(desk: Desk) -> None:
    (plan,) = plans_of(lambda: list(executions_of(desk.accounts["alice"])[:A_PAGE]))

    assert "using execution_by_account on orders_execution" in plan
    assert "Sort Key" not in plan


def test_activities_are_found_without_looking_through_trades(desk: Desk) -> None:
    page = ActivityPage(
        types=frozenset(ACTIVITY_TYPES),
        after=None,
        until=NOON,
        is_ascending=False,
        size=A_PAGE,
        last=None,
    )

    fills, paid, got, *_ = plans_of(lambda: activities_of(desk.accounts["alice"], page))

    for plan, index in [
        (fills, "execution_by_account"),
        (paid, "transfer_cash_by_debit"),
        (got, "transfer_cash_by_credit"),
    ]:
        assert f"using {index} on" in plan
        assert "(occurred_at < '2026-03-02 12:00:00+00'" in plan
        assert "Sort Key" not in plan
