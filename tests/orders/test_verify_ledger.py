"""verify_ledger names every row that was tampered with, whatever the kind, and nothing in a clean
ledger.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from accounts.models import User
from marketdata.models import Currency, Instrument, Venue
from orders.domain import commands
from orders.verification import Discrepancy, discrepancies
from orders.verification.ledger import CHECKS
from tests.orders.desk import Desk, offline, open_desk, quote

Names = dict[str, Any]  # Any: keys of rows, by what a tampering calls them


@pytest.fixture(scope="module")
def ledger(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Names]:
    """A ledger with a row of every kind, committed once for the module."""
    with django_db_blocker.unblock():
        yield write_ledger()
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def names(ledger: Names, django_db_blocker: DjangoDbBlocker) -> Iterator[Names]:
    """The ledger inside a transaction that is rolled back after the test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield ledger
        transaction.set_rollback(True)


def write_ledger() -> Names:
    usd = Currency.objects.create(code="USD", name="US dollar")
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    apple = Instrument.objects.create(
        symbol="AAPL",
        name="Apple",
        venue=venue,
        asset_class="us_equity",
        quote_currency=usd,
        tick_size="0.01",
        lot_size="1",
    )
    users = {name: User.objects.create(username=name) for name in ("alice", "bob", "charlie")}
    desk = open_desk(users)
    tell_story(desk)
    assert [*discrepancies()] == []
    return {**look_up(), "apple": apple.pk, "alice": desk.accounts["alice"].pk,
            "charlie": desk.accounts["charlie"].pk, "now": datetime.now(UTC)}  # fmt: skip


def tell_story(desk: Desk) -> None:
    """Trades with the street and between users, and orders that ended in every way."""
    canceled = desk.submit("alice", "BUY 1 @ 10")
    for batch in (
        [quote(asks="100x7 101.01x5"), desk.submit("alice", "BUY 9 @ 101.01")],
        [desk.submit("charlie", "BUY 5 @ 99.5"), desk.submit("charlie", "BUY 2 @ 90 DAY")],
        [desk.submit("alice", "SELL 2 @ 99.5"), desk.submit("bob", "SELL 3 @ 120"), canceled],
        [commands.CancelOrder(canceled.order_id, canceled.account_id, "r")],
        [desk.submit("charlie", "BUY 1 @ 120"), desk.submit("charlie", "BUY 1 MARKET FOK")],
        [quote(bids="99x3"), desk.submit("alice", "SELL 1 MARKET")],
        [desk.deposit("alice", "-5", "ADJUSTMENT"), desk.submit("charlie", "BUY 1 @ 50 IOC")],
    ):
        offline(*batch)


LOOK_UP = {
    "street": "SELECT id FROM portfolio_tradingaccount WHERE kind = 'STREET'",
    "house": "SELECT id FROM portfolio_tradingaccount WHERE kind = 'HOUSE'",
    "open_buy": "SELECT id FROM orders_order WHERE closed_at IS NULL AND side = 'BUY'"
    " ORDER BY sequence LIMIT 1",
    "open_sell": "SELECT id FROM orders_order WHERE closed_at IS NULL AND side = 'SELL' LIMIT 1",
    "filled_at_once": "SELECT id FROM orders_order WHERE status = 'FILLED' AND side = 'BUY'"
    " ORDER BY sequence LIMIT 1",
    "canceled": "SELECT id FROM orders_order WHERE status = 'CANCELED' ORDER BY sequence LIMIT 1",
    "first": "SELECT min(id) FROM orders_execution",
    "users_trade": "SELECT trade_id FROM orders_execution GROUP BY trade_id"
    " HAVING count(*) = 2 ORDER BY 1 LIMIT 1",
    "street_trade": "SELECT trade_id FROM orders_execution GROUP BY trade_id"
    " HAVING count(*) = 1 ORDER BY 1 LIMIT 1",
    "fill_event": "SELECT min(id) FROM core_event WHERE kind = 'OrderFilled'",
    "told_execution": "SELECT ('x0000' || right(payload->'execution'->>'id', 12))::bit(64)::bigint"
    " FROM core_event WHERE kind = 'OrderFilled' ORDER BY id LIMIT 1",
    "told_order": "SELECT payload->'order'->>'id' FROM core_event WHERE kind = 'OrderFilled'"
    " ORDER BY id LIMIT 1",
    "accepted_event": "SELECT min(id) FROM core_event WHERE kind = 'OrderAccepted'",
}


def look_up() -> Names:
    names: Names = {}
    with connection.cursor() as cursor:
        for name, query in LOOK_UP.items():
            cursor.execute(query)
            row = cursor.fetchone()
            assert row is not None, name
            names[name] = row[0]
    return names


def found() -> list[Discrepancy]:
    return list(discrepancies())


def test_clean_ledger_has_nothing_to_tell(names: Names) -> None:
    assert found() == []


def test_ledger_without_a_row_is_clean(names: Names) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE portfolio_balance, portfolio_position, portfolio_transfer, portfolio_hold,"
            " orders_order, orders_execution, core_event CASCADE"
        )

    assert found() == []


# What is done → the rule that must find it, and how it must name the row.
TAMPERINGS: dict[str, tuple[str, str, str]] = {
    "cash out of nowhere": (
        "UPDATE portfolio_balance SET total = total + 1 WHERE account_id = {alice}",
        "currency_sum",
        "currency USD",
    ),
    "cash moved without a transfer": (
        "UPDATE portfolio_balance SET total = total + CASE account_id WHEN {alice} THEN 1 ELSE -1"
        " END WHERE account_id IN ({alice}, {charlie})",
        "balance_total",
        "balance of account {alice} in USD",
    ),
    "a unit of cash": (
        "UPDATE portfolio_balance SET total = total + 0.00000001 WHERE account_id = {house}",
        "balance_total",
        "balance of account {house} in USD",
    ),
    "balance deleted": (
        "DELETE FROM portfolio_balance WHERE account_id = {charlie}",
        "balance_total",
        "balance of account {charlie} in USD",
    ),
    "cash unlocked": (
        "UPDATE portfolio_balance SET locked = 0 WHERE account_id = {charlie}",
        "balance_locked",
        "balance of account {charlie} in USD",
    ),
    "overdraft allowed": (
        "UPDATE portfolio_balance SET is_overdraft_allowed = true WHERE account_id = {alice}",
        "overdraft",
        "balance of account {alice} in USD",
    ),
    "more locked than there is": (
        "ALTER TABLE portfolio_balance DROP CONSTRAINT balance_free_not_negative;"
        "UPDATE portfolio_balance SET locked = total + 1 WHERE account_id = {alice}",
        "overdraft",
        "balance of account {alice} in USD",
    ),
    "transfer changed": (
        "UPDATE portfolio_transfer SET amount = amount + 1 WHERE trade_id = {street_trade}",
        "trade",
        "trade {street_trade}",
    ),
    "transfer deleted": (
        "DELETE FROM portfolio_transfer WHERE trade_id = {users_trade}",
        "trade",
        "trade {users_trade}",
    ),
    "transfer turned around": (
        "UPDATE portfolio_transfer SET debit_account_id = credit_account_id,"
        " credit_account_id = debit_account_id WHERE trade_id = {users_trade}",
        "trade",
        "trade {users_trade}",
    ),
    "transfer of a trade that never was": (
        "INSERT INTO portfolio_transfer (id, kind, debit_account_id, credit_account_id,"
        " currency_id, amount, trade_id, reason, occurred_at)"
        " VALUES (999, 'TRADE', {alice}, {charlie}, 'USD', 1, 998, '', now())",
        "trade",
        "trade 998",
    ),
    "deposit that never was": (
        "INSERT INTO portfolio_transfer (id, kind, debit_account_id, credit_account_id,"
        " currency_id, amount, reason, occurred_at)"
        " VALUES (999, 'DEPOSIT', {house}, {charlie}, 'USD', 1, '', now())",
        "balance_total",
        "balance of account {charlie} in USD",
    ),
    "position made larger": (
        "UPDATE portfolio_position SET quantity = quantity + 1 WHERE account_id = {charlie}",
        "position",
        "position of account {charlie} in instrument {apple}",
    ),
    "shares out of nowhere": (
        "UPDATE portfolio_position SET quantity = quantity + 1 WHERE account_id = {charlie}",
        "instrument_sum",
        "instrument AAPL",
    ),
    "cost changed by a unit": (
        "UPDATE portfolio_position SET cost_basis = cost_basis + 0.00000001"
        " WHERE account_id = {alice}",
        "position",
        "position of account {alice} in instrument {apple}",
    ),
    "profit changed": (
        "UPDATE portfolio_position SET realized_pnl = 0 WHERE account_id = {alice}",
        "position",
        "position of account {alice} in instrument {apple}",
    ),
    "street's cost changed": (
        "UPDATE portfolio_position SET cost_basis = cost_basis - 1 WHERE account_id = {street}",
        "position",
        "position of account {street} in instrument {apple}",
    ),
    "position deleted": (
        "DELETE FROM portfolio_position WHERE account_id = {charlie}",
        "position",
        "position of account {charlie} in instrument {apple}",
    ),
    "position unlocked": (
        "UPDATE portfolio_position SET locked = 0 WHERE account_id = {alice}",
        "position_locked",
        "position of account {alice} in instrument {apple}",
    ),
    "short allowed": (
        "UPDATE portfolio_position SET is_short_allowed = true WHERE account_id = {alice}",
        "short_position",
        "position of account {alice} in instrument {apple}",
    ),
    "filled quantity changed": (
        "UPDATE orders_order SET filled_quantity = filled_quantity + 1 WHERE id = '{open_buy}'",
        "order_fills",
        "order {open_buy}",
    ),
    "filled notional changed": (
        "UPDATE orders_order SET filled_notional = filled_notional + 0.00000001"
        " WHERE id = '{filled_at_once}'",
        "order_fills",
        "order {filled_at_once}",
    ),
    "filled order opened again": (
        "UPDATE orders_order SET closed_at = NULL WHERE id = '{filled_at_once}'",
        "order_life",
        "order {filled_at_once}",
    ),
    "open order closed silently": (
        "UPDATE orders_order SET closed_at = now() WHERE id = '{open_buy}'",
        "order_life",
        "order {open_buy}",
    ),
    "cancel without a reason": (
        "UPDATE orders_order SET reason = '' WHERE id = '{canceled}'",
        "order_life",
        "order {canceled}",
    ),
    "status changed": (
        "UPDATE orders_order SET status = 'EXPIRED', reason = 'DAY_END' WHERE id = '{canceled}'",
        "order_event",
        "order {canceled}",
    ),
    "limit changed": (
        "UPDATE orders_order SET limit_price = limit_price + 0.01 WHERE id = '{open_sell}'",
        "order_event",
        "order {open_sell}",
    ),
    "quantity changed": (
        "UPDATE orders_order SET quantity = quantity + 1 WHERE id = '{open_sell}'",
        "hold",
        "hold of order {open_sell}",
    ),
    "client order id changed": (
        "UPDATE orders_order SET client_order_id = 'other' WHERE id = '{canceled}'",
        "order_event",
        "order {canceled}",
    ),
    "hold shrunk": (
        "UPDATE portfolio_hold SET remaining = remaining - 1 WHERE order_id = '{open_buy}'",
        "hold",
        "hold of order {open_buy}",
    ),
    "hold voided": (
        "UPDATE portfolio_hold SET remaining = 0, state = 'VOIDED' WHERE order_id = '{open_sell}'",
        "hold",
        "hold of order {open_sell}",
    ),
    "hold deleted": (
        "DELETE FROM portfolio_hold WHERE order_id = '{open_buy}'",
        "hold",
        "hold of order {open_buy}",
    ),
    "hold of an order that ended": (
        "INSERT INTO portfolio_hold (order_id, account_id, currency_id, amount, remaining, state)"
        " VALUES ('{filled_at_once}', {alice}, 'USD', 1, 1, 'PENDING')",
        "hold",
        "hold of order {filled_at_once}",
    ),
    "hold of no order": (
        "INSERT INTO portfolio_hold (order_id, account_id, currency_id, amount, remaining, state)"
        " VALUES ('00000000-0000-0000-0000-000000000001', {alice}, 'USD', 1, 1, 'PENDING')",
        "hold",
        "hold of order 00000000-0000-0000-0000-000000000001",
    ),
    "hold of another account": (
        "UPDATE portfolio_hold SET account_id = {alice} WHERE order_id = '{open_buy}'",
        "hold",
        "hold of order {open_buy}",
    ),
    "execution's price changed": (
        "UPDATE orders_execution SET price = price - 1 WHERE id = {first}",
        "order_fills",
        "order {filled_at_once}",
    ),
    "execution above the limit": (
        "UPDATE orders_execution SET price = 1000 WHERE id = {first}",
        "execution",
        "execution {first}",
    ),
    "execution on the other side": (
        "UPDATE orders_execution SET side = 'SELL' WHERE id = {first}",
        "execution",
        "execution {first}",
    ),
    "execution of another account": (
        "UPDATE orders_execution SET account_id = {charlie} WHERE id = {first}",
        "execution",
        "execution {first}",
    ),
    "execution deleted": (
        "DELETE FROM orders_execution WHERE id = {first}",
        "trade",
        "trade {first}",
    ),
    "one side of a trade deleted": (
        "DELETE FROM orders_execution WHERE id = {users_trade} + 1",
        "trade",
        "trade {users_trade}",
    ),
    "one side of a trade changed": (
        "UPDATE orders_execution SET quantity = quantity + 1 WHERE id = {users_trade} + 1",
        "trade",
        "trade {users_trade}",
    ),
    "both sides makers": (
        "UPDATE orders_execution SET liquidity = 'MAKER' WHERE trade_id = {users_trade}",
        "trade",
        "trade {users_trade}",
    ),
    "event deleted": (
        "DELETE FROM core_event WHERE id = {fill_event}",
        "event_sequence",
        "events of account {alice}",
    ),
    "event renumbered": (
        "UPDATE core_event SET account_sequence = 999 WHERE id = {fill_event}",
        "event_envelope",
        "event {fill_event}",
    ),
    "event of another kind": (
        "UPDATE core_event SET kind = 'OrderCanceled' WHERE id = {fill_event}",
        "event_envelope",
        "event {fill_event}",
    ),
    "fill that nobody was told of": (
        "DELETE FROM core_event WHERE id = {fill_event}",
        "fill_event",
        "execution {told_execution}",
    ),
    "told another price": (
        "UPDATE core_event SET payload = jsonb_set(payload, '{{execution,price}}', '\"1\"')"
        " WHERE id = {fill_event}",
        "fill_event",
        "execution {told_execution}",
    ),
    "told of a fill that never was": (
        "UPDATE core_event SET payload = jsonb_set(payload, '{{execution,id}}',"
        " '\"7ead0000-0000-8000-8000-0000000003e7\"') WHERE id = {fill_event}",
        "fill_event",
        "event {fill_event}",
    ),
    "acceptance that nobody was told of": (
        "DELETE FROM core_event WHERE id = {accepted_event}",
        "order_event",
        "order {filled_at_once}",
    ),
    "told another status": (
        "UPDATE core_event SET payload = jsonb_set(payload, '{{order,status}}', '\"EXPIRED\"')"
        " WHERE id = {fill_event}",
        "order_event",
        "order {told_order}",
    ),
    "told another balance": (
        "UPDATE core_event SET payload = jsonb_set(payload, '{{balance,total}}', '\"1\"')"
        " WHERE (account_id, account_sequence) IN (SELECT account_id, max(account_sequence)"
        " FROM core_event WHERE account_id = {alice} GROUP BY account_id)",
        "balance_event",
        "balance of account {alice} in USD",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_and_named(names: Names, name: str) -> None:
    statement, check, row = TAMPERINGS[name]
    tamper(statement, names)

    rows = {(discrepancy.check, discrepancy.row) for discrepancy in found()}

    assert (check, row.format_map(names)) in rows


def tamper(statement: str, names: Names) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.format_map(names))


def test_deleted_order_is_missed_by_its_events_and_its_hold(names: Names) -> None:
    tamper("DELETE FROM orders_order WHERE id = '{open_sell}'", names)

    rows = {(discrepancy.check, discrepancy.row) for discrepancy in found()}

    assert ("order_event", f"order {names['open_sell']}") in rows
    assert ("hold", f"hold of order {names['open_sell']}") in rows


def test_every_check_has_a_tampering() -> None:
    assert {check for _, check, _ in TAMPERINGS.values()} == {*CHECKS, "position"}


# --- the command


def run(*arguments: str) -> tuple[int, str]:
    output = StringIO()
    try:
        call_command("verify_ledger", *arguments, stdout=output)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return end.code, output.getvalue()
    return 0, output.getvalue()


def test_command_says_that_all_is_well(names: Names) -> None:
    code, output = run()

    assert code == 0
    assert output == "The ledger is clean: money, positions, holds, orders and events agree.\n"
    assert run("--json") == (0, '{"is_clean": true, "discrepancies": []}\n')


def test_command_lists_what_is_wrong_and_fails(names: Names) -> None:
    tamper(TAMPERINGS["cash unlocked"][0], names)

    code, output = run()
    json_code, json_output = run("--json")

    account, locked = names["charlie"], "379"
    assert code == json_code == 1
    assert (
        f"balance_locked: balance of account {account} in USD: locked is 0,"
        f" the pending holds add up to {locked}\n"
    ) in output
    assert output.endswith("2 discrepancies. Nothing was changed.\n")
    report = json.loads(json_output)
    assert report["is_clean"] is False
    assert report["discrepancies"][0] == {
        "check": "balance_locked",
        "row": f"balance of account {account} in USD",
        "problem": f"locked is 0, the pending holds add up to {locked}",
    }
