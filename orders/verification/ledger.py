"""Runs every check over one snapshot of the database: what `manage.py verify_ledger` prints.

The engine may go on working meanwhile: a batch is committed whole, so any snapshot must be clean.
Nothing is collected here; findings are given as they are found.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from django.db import connection

from core.database import one_moment
from orders.verification import events, fees, money, orders, references, risk
from orders.verification.replay import position_discrepancies
from orders.verification.values import Discrepancy

CHECKS: Final[Mapping[str, str]] = {
    **money.CHECKS,
    **fees.CHECKS,
    **orders.CHECKS,
    **events.CHECKS,
    **risk.CHECKS,
    **references.CHECKS,
}
"""Name → statement that gives (row, problem) for everything that breaks the rule."""

FETCH_SIZE = 2_000

# The checks read whole tables and give nearly nothing: plan for that, not for a quick first row.
_PLAN_FOR_WHOLE_TABLES = "SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '64MB'"


def discrepancies() -> Iterator[Discrepancy]:
    """Everything that does not agree, rule by rule; nothing when the ledger is clean."""
    is_own = not connection.in_atomic_block
    with one_moment():
        if is_own:
            with connection.cursor() as cursor:
                cursor.execute(_PLAN_FOR_WHOLE_TABLES)
        yield from _run_checks()


def _run_checks() -> Iterator[Discrepancy]:
    for name, statement in CHECKS.items():
        with connection.chunked_cursor() as cursor:
            cursor.execute(statement)
            while rows := cursor.fetchmany(FETCH_SIZE):
                for row, problem in rows:
                    yield Discrepancy(name, row, problem)
    yield from position_discrepancies(FETCH_SIZE)
