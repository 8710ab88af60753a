"""What the database itself refuses in the rows of orders, holds, transfers and events, whoever
writes them.
"""

from itertools import product

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from orders.domain.values import OrderType, Side
from orders.engine import store
from orders.models import Order
from tests.orders.desk import Desk, offline, quote

pytestmark = pytest.mark.django_db(transaction=True)

UNSOUND = {
    "orders_order WHERE limit_price = 90": {
        "quantity = 0": "order_quantities",
        "filled_quantity = 6": "order_quantities",
        "filled_quantity = -1": "order_quantities",
        "prevented_quantity = -1": "order_quantities",
        "limit_price = 0": "order_prices_positive",
        "limit_price = -1": "order_prices_positive",
        "trail_price = 1": "order_trail_by_type",
        "hwm = 1": "order_trail_by_type",
        "notional = 1000": "order_notional",
        "displayed_quantity = 1": "order_display",
        "displayed_quantity = -1": "order_display",
        "replaced_by = id": "order_replaced_by_successor",
        "status = 'FILLED'": "order_filled_means_all",
        "group_id = id": "order_group_by_class",
        "leg = 'ENTRY'": "order_group_by_class",
        "order_class = 'OCO'": "order_group_by_class",
        "margin_percent = -1": "orders_order_margin_percent_check",
    },
    "portfolio_hold WHERE state = 'PENDING' AND instrument_id IS NULL": {
        "amount = 0": "hold_amounts",
        "remaining = -1, state = 'VOIDED'": "hold_amounts",
        "remaining = 0": "hold_remaining_by_state",
        "state = 'POSTED'": "hold_remaining_by_state",
        "currency_id = NULL": "hold_of_cash_or_of_quantity",
        "instrument_id = 1": "hold_of_cash_or_of_quantity",
    },
    "portfolio_transfer WHERE kind = 'TRADE'": {
        "amount = 0": "transfer_amount_positive",
        "debit_account_id = credit_account_id": "transfer_between_two_accounts",
        "kind = 'DEPOSIT'": "transfer_trade_id_by_kind",
        "trade_id = NULL": "transfer_trade_id_by_kind",
    },
    "core_event WHERE account_id IS NOT NULL": {
        "account_sequence = NULL": "event_sequence_with_account",
        "account_id = NULL": "event_sequence_with_account",
    },
}
"""What would make a sound row unsound, and the rule that is broken."""


@pytest.fixture
def rows(desk: Desk) -> Desk:
    """Alice has an order that rests, one that is filled, and one that waits for its stop."""
    texts = ("BUY 5 @ 90", "BUY 5 @ 101", "SELL 1 STOP 80")
    offline(quote(asks="100x7"), *(desk.submit("alice", text) for text in texts))
    return desk


def broken_rule(sql: str) -> str | None:
    """The rule that a statement would break; None when it is carried out."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
            assert cursor.rowcount, sql
    except IntegrityError as error:
        assert isinstance(error.__cause__, psycopg.Error)
        return error.__cause__.diag.constraint_name
    return None


def test_an_unsound_row_is_refused_and_changes_nothing(rows: Desk) -> None:
    before = list(Order.objects.order_by("sequence").values())

    broken = {
        where: {change: broken_rule(_update(where, change)) for change in changes}
        for where, changes in UNSOUND.items()
    }

    assert broken == UNSOUND
    assert list(Order.objects.order_by("sequence").values()) == before


def _update(where: str, change: str) -> str:
    table, condition = where.split(" WHERE ")
    return f"UPDATE {table} SET {change} WHERE {condition}"


def test_each_order_type_has_its_prices(rows: Desk) -> None:
    allowed = set()
    for kind, side, limit, stop in product(OrderType, Side, ("NULL", "90"), ("NULL", "95")):
        trail = "1" if kind is OrderType.TRAILING_STOP else "NULL"
        if not broken_rule(
            f"UPDATE orders_order SET type = '{kind}', side = '{side}', limit_price = {limit},"
            f" stop_price = {stop}, hwm = {trail}, trail_price = {trail} WHERE quantity = 1"
        ):
            allowed.add((kind.value, side.value, limit != "NULL", stop != "NULL"))

    assert allowed == {
        ("MARKET", "BUY", False, False),
        ("MARKET", "BUY", True, False),
        ("MARKET", "SELL", False, False),
        ("MARKET", "SELL", True, False),
        ("LIMIT", "BUY", True, False),
        ("LIMIT", "SELL", True, False),
        ("STOP", "BUY", True, True),
        ("STOP", "SELL", False, True),
        ("STOP_LIMIT", "BUY", True, True),
        ("STOP_LIMIT", "SELL", True, True),
        ("TRAILING_STOP", "BUY", True, True),
        ("TRAILING_STOP", "SELL", False, True),
    }


def test_a_trail_has_a_mark_and_one_distance(rows: Desk) -> None:
    allowed = {
        (hwm, price, percent)
        for hwm, price, percent in product(("NULL", "1"), repeat=3)
        if not broken_rule(
            f"UPDATE orders_order SET type = 'TRAILING_STOP', hwm = {hwm}, trail_price = {price},"
            f" trail_percent = {percent} WHERE type IN ('STOP', 'TRAILING_STOP')"
        )
    }

    assert allowed == {("1", "1", "NULL"), ("1", "NULL", "1")}


def test_what_a_plain_order_is_written_without_is_in_its_row_all_the_same(rows: Desk) -> None:
    general = {column.name for column in store.new_orders.columns}
    plain = {column.name for column in store.plain_orders.columns}

    row = Order.objects.filter(limit_price=90).values().get()

    assert plain < general
    assert {name: row[name] for name in general - plain} == {
        "trail_price": None,
        "trail_percent": None,
        "strategy": None,
        "margin_percent": 100,
        "session_id": None,
        "notional": None,
        "display_quantity": 0,
        "post_only": False,
        "reduce_only": False,
        "forced": "",
        "replaces": None,
        "group_id": None,
        "leg": "",
        "order_class": "SIMPLE",
        "prevented_quantity": 0,
        "stop_price": None,
        "hwm": None,
        "displayed_quantity": 0,
        "replaced_by": None,
    }
