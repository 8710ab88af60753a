"""verify_ledger names every row that was tampered with, whatever the kind, and nothing in a clean
ledger.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import msgspec
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoDbBlocker

from accounts.models import User
from marketdata.models import Currency, Instrument, Venue
from orders.domain import commands
from orders.domain.order_class import GroupTerms, OrderClass
from orders.verification import Discrepancy, discrepancies
from orders.verification.ledger import CHECKS
from tests.orders.desk import Desk, offline, open_desk, quote
from tests.orders.tamperings import TAMPERINGS

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
    alice = desk.accounts["alice"].pk
    for batch in (
        [
            commands.SetFeeTier("T1", "Tier", Decimal("0.5"), Decimal(1), "r"),
            commands.SetAccountTier(alice, "T1", "r"),
        ],
        [quote(asks="100x7 101.01x5"), desk.submit("alice", "BUY 9 @ 101.01")],
        [desk.submit("charlie", "BUY 5 @ 99.5"), desk.submit("charlie", "BUY 2 @ 90 DAY")],
        [desk.submit("alice", "SELL 2 @ 99.5"), desk.submit("bob", "SELL 3 @ 120"), canceled],
        [commands.CancelOrder(canceled.order_id, canceled.account_id, "r")],
        [desk.submit("charlie", "BUY 1 @ 120"), desk.submit("charlie", "BUY 1 MARKET FOK")],
        [quote(bids="99x3"), desk.submit("alice", "SELL 1 MARKET")],
        [pair(desk)],
        [desk.deposit("alice", "-5", "ADJUSTMENT"), desk.submit("charlie", "BUY 1 @ 50 IOC")],
    ):
        offline(*batch)


def pair(desk: Desk) -> commands.SubmitOrder:
    """Charlie's one share: sold at 130, or below 80."""
    terms = GroupTerms(OrderClass.OCO, stop_price=Decimal(80))
    return msgspec.structs.replace(desk.submit("charlie", "SELL 1 @ 130"), group=terms)


LOOK_UP = {
    "group": "SELECT group_id FROM orders_order WHERE leg = 'STOP_LOSS'",
    "stop_loss": "SELECT id FROM orders_order WHERE leg = 'STOP_LOSS'",
    "street": "SELECT id FROM portfolio_tradingaccount WHERE kind = 'STREET'",
    "house": "SELECT id FROM portfolio_tradingaccount WHERE kind = 'HOUSE'",
    "alice_owner": "SELECT owner_id FROM portfolio_tradingaccount WHERE name = 'Alice'",
    "open_buy": "SELECT id FROM orders_order WHERE closed_at IS NULL AND side = 'BUY'"
    " ORDER BY sequence LIMIT 1",
    "open_sell": "SELECT id FROM orders_order WHERE closed_at IS NULL AND side = 'SELL'"
    " ORDER BY sequence LIMIT 1",
    "filled_at_once": "SELECT id FROM orders_order WHERE status = 'FILLED' AND side = 'BUY'"
    " ORDER BY sequence LIMIT 1",
    "canceled": "SELECT id FROM orders_order WHERE status = 'CANCELED' ORDER BY sequence LIMIT 1",
    "first": "SELECT min(id) FROM orders_execution",
    "users_trade": "SELECT trade_id FROM orders_execution GROUP BY trade_id"
    " HAVING count(*) = 2 ORDER BY 1 LIMIT 1",
    "fee_execution": "SELECT e.id FROM orders_execution e JOIN (SELECT trade_id FROM"
    " orders_execution GROUP BY trade_id HAVING count(*) = 2 ORDER BY 1 LIMIT 1) t"
    " USING (trade_id) WHERE e.fee > 0 ORDER BY e.id LIMIT 1",
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
    tamper("ALTER TABLE orders_order DISABLE TRIGGER delete_guard", names)
    tamper("DELETE FROM orders_order WHERE id = '{open_sell}'", names)

    rows = {(discrepancy.check, discrepancy.row) for discrepancy in found()}

    assert ("order_event", f"order {names['open_sell']}") in rows
    assert ("hold", f"hold of order {names['open_sell']}") in rows


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM orders_order WHERE id = '{filled_at_once}'",
        "DELETE FROM marketdata_instrument WHERE id = {apple}",
        "DELETE FROM portfolio_tradingaccount WHERE id = {alice}",
        "DELETE FROM marketdata_currency WHERE code = 'USD'",
    ],
)
def test_what_the_engines_rows_name_cannot_be_deleted(names: Names, statement: str) -> None:
    with pytest.raises(IntegrityError, match=r"is named by|still referenced"), transaction.atomic():
        tamper(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE", names)

    assert found() == []


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
