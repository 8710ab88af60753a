"""verify_ledger runs beside a working portal: it sees one moment of it and cannot change a row."""

from collections.abc import Generator
from contextlib import closing
from typing import cast

import psycopg
import pytest
from django.db import InternalError, connection, transaction

from core.database import database_dsn
from orders.verification import Discrepancy, discrepancies
from portfolio.models import Balance, Position
from tests.orders.desk import CASH, Desk, offline, quote

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def one_unit_too_much(desk: Desk) -> Desk:
    """Alice holds 2 AAPL, and a row of Charlie's was tampered with: the first rule finds it."""
    offline(quote(asks="100x7"), desk.submit("alice", "BUY 2 @ 100"))
    execute_elsewhere(
        "UPDATE portfolio_balance SET total = total + 1 WHERE account_id = %s",
        desk.accounts["charlie"].pk,
    )
    return desk


def execute_elsewhere(statement: str, *values: object) -> None:
    """Commit a statement on a connection of its own, as another process would."""
    with psycopg.connect(database_dsn(), autocommit=True) as other:
        assert other.execute(statement.encode(), values).rowcount == 1


def new_run() -> Generator[Discrepancy, None, None]:
    """A run, which stands still at each finding; close it, for it keeps a transaction open."""
    return cast(Generator[Discrepancy, None, None], discrepancies())


def names_in(found: list[Discrepancy]) -> set[str]:
    return {discrepancy.check for discrepancy in found}


def test_what_is_committed_during_a_run_is_not_seen_by_it(one_unit_too_much: Desk) -> None:
    before = [*discrepancies()]

    with closing(new_run()) as run:
        first = next(run)
        execute_elsewhere(
            "UPDATE portfolio_position SET quantity = quantity + 1 WHERE account_id = %s",
            one_unit_too_much.accounts["alice"].pk,
        )
        offline(one_unit_too_much.submit("charlie", "BUY 1 @ 50"))
        rest = [*run]

    assert [first, *rest] == before
    names_before, names_after = names_in(before), names_in([*discrepancies()])
    assert names_after - names_before == {"instrument_sum", "position"}


def test_a_run_can_write_nothing(one_unit_too_much: Desk) -> None:
    with closing(new_run()) as run:
        next(run)
        with pytest.raises(InternalError, match="read-only transaction"), transaction.atomic():
            Balance.objects.update(total=0)
        rest = [*run]

    assert names_in(rest) == {"balance_total", "balance_event"}
    assert Balance.objects.get(account=one_unit_too_much.accounts["charlie"]).total == CASH + 1


def test_after_a_run_the_connection_is_as_before(desk: Desk) -> None:
    assert [*discrepancies()] == []

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('transaction_isolation'),"
            " current_setting('transaction_read_only')"
        )
        assert cursor.fetchone() == ("read committed", "off")
    assert Position.objects.count() == 0
