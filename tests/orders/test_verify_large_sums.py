"""verify_ledger goes on where sums of the house and the street outgrow 64 bits of units."""

import pytest
from django.db import connection, transaction

from orders.verification import Discrepancy
from orders.verification.replay import position_discrepancies
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db(transaction=True)

TRADES = 200
"""Of 1,000,000,000 each: twice what fits 64 bits."""

BOUGHT = """
INSERT INTO orders_execution (id, trade_id, order_id, account_id, instrument_id, side, price,
  quantity, fee, liquidity, occurred_at)
SELECT n, n, '00000000-0000-0000-0000-000000000001', {alice}, {apple}, 'BUY', 1, 1000000000,
  0,
  'TAKER', now() FROM generate_series(1, {trades}) AS n;
INSERT INTO portfolio_position (account_id, instrument_id, quantity, locked, cost_basis,
  realized_pnl, is_short_allowed)
VALUES ({alice}, {apple}, {trades} * 1e9, 0, {trades} * 1e9, 0, false),
  ({street}, {apple}, -{trades} * 1e9, 0, -{trades} * 1e9, 0, true);
"""


def test_positions_beyond_64_bits_are_replayed_to_the_unit(desk: Desk) -> None:
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SELECT id FROM portfolio_tradingaccount WHERE kind = 'STREET'")
        (street,) = cursor.fetchone()
        cursor.execute("SELECT id FROM marketdata_instrument WHERE symbol = 'AAPL'")
        (apple,) = cursor.fetchone()
        alice = desk.accounts["alice"].pk
        cursor.execute(BOUGHT.format(alice=alice, apple=apple, street=street, trades=TRADES))

        clean = [*position_discrepancies(50)]
        cursor.execute(
            "UPDATE portfolio_position SET cost_basis = cost_basis - 0.00000001"
            " WHERE account_id = %s",
            [street],
        )
        tampered = [*position_discrepancies(50)]
        transaction.set_rollback(True)  # these executions have no orders

    assert clean == []
    assert tampered == [
        Discrepancy(
            "position",
            f"position of account {street} in instrument {apple}",
            "is -200000000000 for -200000000000.00000001, realized 0; "
            "the executions make it -200000000000 for -200000000000, realized 0",
        )
    ]
