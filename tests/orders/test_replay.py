"""`manage.py replay` on real engines: it proves what is stored over restarts, kills, halts and
stops, and it names whatever was tampered with.
"""

import zlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from accounts.models import User
from marketdata.models import Currency, Instrument, Venue
from orders.domain import commands
from orders.domain.values import Side
from orders.models import Journal
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, offline, open_desk, quote
from tests.orders.replaying import after, assert_replays, replay, replay_json

pytestmark = pytest.mark.processes


def trade(price: str, side: str = "BUY") -> commands.PrintStreetTrade:
    return commands.PrintStreetTrade("AAPL", Decimal(price), Decimal(1), Side(side))


def test_portal_without_a_journal_has_nothing_to_replay(db: None) -> None:
    lines, code = replay()

    assert lines == ["The journal is empty: there is nothing to replay."]
    assert code == 0


def test_everything_that_an_engine_did_is_replayed(engine: EngineProcess, desk: Desk) -> None:
    engine.ask_all([quote(bids="99x5", asks="101x5"), quote(bids="99x5", asks="100x5")])
    desk.place(engine, "alice", "BUY 3 @ 100")
    desk.place(engine, "charlie", "BUY 9 @ 100 IOC")
    desk.place(engine, "charlie", "BUY 999999 @ 100")
    desk.place(engine, "alice", "SELL 1 STOP 99")
    desk.place(engine, "bob", "SELL 1 @ 102 DAY")
    engine.ask_all([trade("99", "SELL"), quote(bids="98x5", asks="102x1")])
    desk.cancel_all(engine, "alice")

    outcome = assert_replays()

    assert outcome.events > 10
    assert outcome.state is not None
    assert len(repr(outcome)) < 1_000  # asyncio prints what a task returns when it sets up signals
    lines, code = replay()
    assert code == 0
    assert lines == [
        f"Replayed {outcome.commands} commands in {outcome.batches} batches from batch 1 on:"
        f" {outcome.events} events and the stored state are identical."
    ]


def test_replay_goes_through_restarts_kills_halts_and_stops(
    engine: EngineProcess, desk: Desk
) -> None:
    def story() -> None:
        engine.ask_all([quote(bids="99x9", asks="101x9"), trade("101")])
        desk.place(engine, "alice", "BUY 2 @ 101")
        desk.place(engine, "alice", "SELL 1 STOP 98")
        desk.place(engine, "charlie", "BUY 4 @ 99")
        engine.ask(commands.SetInstrumentStatus("AAPL", "HALTED", "halt"))
        desk.place(engine, "charlie", "BUY 4 @ 99")
        engine.ask(commands.SetInstrumentStatus("AAPL", "OPEN", "open"))
        engine.ask_all([quote(bids="97x1", asks="99x2"), trade("97", "SELL")])

    for number in range(3):
        story()
        if number % 2:
            engine.kill()
        else:
            assert engine.terminate() == 0
        assert_replays()
        engine.start()
    story()

    assert_replays()
    assert Journal.objects.filter(kind="START").count() == 5  # one opened the desk


def test_street_that_nobody_reads_is_not_journaled(engine: EngineProcess, desk: Desk) -> None:
    engine.ask_all([quote(bids=f"99x{size}", asks="101x5") for size in range(1, 200)])
    rows = Journal.objects.count()

    desk.place(engine, "alice", "BUY 1 @ 101")

    assert Journal.objects.count() == rows + 1
    told = replay_json("--from", str(rows + 1))
    assert [line.get("command") for line in told] == ["QuoteStreet", "SubmitOrder", None]
    assert told[0]["fields"]["bids"] == [["99", "199"]]


def test_refusals_alone_are_not_committed(engine: EngineProcess, desk: Desk) -> None:
    rows = Journal.objects.count()
    desk.place(engine, "alice", "BUY 999999 @ 100")
    assert Journal.objects.count() == rows

    desk.place(engine, "alice", "BUY 1 @ 100")

    told = replay_json("--from", str(rows + 1))
    assert [line.get("denied") for line in told[:-1]] == ["FUNDS_INSUFFICIENT", None]


def test_commands_are_told_from_a_batch_or_a_time_on(engine: EngineProcess, desk: Desk) -> None:
    desk.place(engine, "alice", "BUY 5 @ 100")
    desk.place(engine, "alice", "BUY 1 @ 90")
    last = Journal.objects.latest("batch")

    by_number, _ = replay("--from", str(last.batch))
    by_time, _ = replay("--from", last.committed_at.isoformat())
    later, _ = replay("--from", (last.committed_at + timedelta(seconds=1)).isoformat())

    assert by_number == by_time
    assert len(by_number) == 2
    assert by_number[0].startswith(f"{last.batch} 20")
    assert " SubmitOrder order_id=" in by_number[0]
    assert " limit_price=90 " in by_number[0]
    assert "OrderAccepted" in by_number[0]
    assert len(later) == 1


def test_book_of_a_moment_is_rebuilt(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(bids="99x5", asks="101x7"))
    desk.place(engine, "alice", "BUY 2 @ 99")
    desk.place(engine, "charlie", "BUY 3 @ 99")
    desk.place(engine, "alice", "BUY 1 @ 200 STOP 150")
    moment = Journal.objects.latest("batch").batch
    desk.cancel_all(engine, "alice")
    desk.cancel_all(engine, "charlie")

    state, proof = replay_json("--to", str(moment), "--symbol", "AAPL")

    (book,) = state["books"]
    assert book["sells"] == [{"price": "101", "quantity": "7", "orders": []}]
    (level,) = book["buys"]
    assert (level["price"], level["quantity"]) == ("99", "10")
    alice, charlie = desk.accounts["alice"].pk, desk.accounts["charlie"].pk
    assert [(order["account"], order["quantity"], order["ahead"]) for order in level["orders"]] == [
        (alice, "2", "5"),
        (charlie, "3", "5"),
    ]
    assert [stop["stop_price"] for stop in book["stops"]] == ["150"]
    account = next(each for each in state["accounts"] if each["account"] == alice)
    assert (account["total"], account["locked"], account["open_orders"]) == ("10000", "398", 2)
    assert proof["is_identical"]
    assert not proof["is_to_end"]
    lines, code = replay("--to", str(moment), "--symbol", "AAPL")
    assert code == 0
    assert lines[0].startswith("AAPL at ")
    assert lines[-1].endswith("events are identical.")


def test_unknown_symbol_and_malformed_moments_are_refused(desk: Desk) -> None:
    with pytest.raises(CommandError, match="no instrument"):
        replay("--symbol", "NONE")
    for moment in ("yesterday", "2026-03-02T15:30:00"):
        with pytest.raises(CommandError):
            call_command("replay", "--from", moment)


def test_replay_does_not_disturb_a_running_engine(engine: EngineProcess, desk: Desk) -> None:
    for _ in range(5):
        desk.place(engine, "alice", "BUY 1 @ 50")
        assert_replays()
    assert desk.place(engine, "alice", "BUY 1 @ 50") == "ACCEPTED 0/1"


# --- tampering

Names = dict[str, Any]  # Any: keys of rows, by what a tampering calls them


@pytest.fixture(scope="module")
def names(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Names]:
    """A journal with fills, a restart and open orders, committed once for the module."""
    with django_db_blocker.unblock():
        yield write_journal()
        call_command("flush", verbosity=0, interactive=False)


def write_journal() -> Names:
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
    offline(quote(asks="100x7"), desk.submit("alice", "BUY 5 @ 100"))
    canceled = desk.submit("charlie", "BUY 1 @ 40")
    offline(desk.submit("charlie", "BUY 2 @ 101"), canceled)
    open_ = desk.submit("alice", "SELL 3 @ 101")
    offline(open_, commands.CancelOrder(canceled.order_id, canceled.account_id, "r"))
    return {
        "alice": desk.accounts["alice"].pk,
        "charlie": desk.accounts["charlie"].pk,
        "apple": apple.pk,
        "open": open_.order_id,
        "canceled": canceled.order_id,
        "last": Journal.objects.latest("batch").batch,
    }


TAMPERINGS = {
    "balance": (
        "UPDATE portfolio_balance SET total = total + 1 WHERE account_id = {alice}",
        "account {alice}: total is ",
    ),
    "position": (
        "UPDATE portfolio_position SET cost_basis = 1 WHERE account_id = {alice}",
        "position {alice} / {apple}: cost is 1, replayed 300",
    ),
    "open order": (
        "UPDATE orders_order SET filled_notional = 5 WHERE id = '{open}'",
        "order {open}: filled_notional is 5, replayed 202",
    ),
    "price of an open order": (
        "UPDATE orders_order SET limit_price = 102 WHERE id = '{open}'",
        "order {open}: limit_price is 102",
    ),
    "closed order": (
        "UPDATE orders_order SET reason = 'IOC_REMAINDER' WHERE id = '{canceled}'",
        "order {canceled}: reason is IOC_REMAINDER, replayed USER_REQUESTED",
    ),
    "order deleted": (
        "DELETE FROM portfolio_hold WHERE order_id = '{canceled}';"
        "DELETE FROM orders_order WHERE id = '{canceled}'",
        "order {canceled} is not stored",
    ),
    "hold of a closed order": (
        "UPDATE portfolio_hold SET state = 'POSTED' WHERE order_id = '{canceled}'",
        "hold of order {canceled}: state is POSTED, replayed VOIDED",
    ),
    "hold of an open order": (
        "UPDATE portfolio_hold SET amount = 4 WHERE order_id = '{open}'",
        "order {open}: hold_placed is 4, replayed 3",
    ),
    "execution": (
        "UPDATE orders_execution SET liquidity = 'MAKER' WHERE id = 1",
        "execution 1: liquidity is MAKER, replayed TAKER",
    ),
    "transfer": (
        "UPDATE portfolio_transfer SET amount = 1 WHERE trade_id = 1",
        "transfer 3: amount is 1",
    ),
    "event's payload": (
        "UPDATE core_event SET payload = jsonb_set(payload::jsonb, '{{request_id}}', '\"x\"')"
        " WHERE account_id = {charlie} AND account_sequence = 2",
        "event {charlie} / 2: payload is ",
    ),
    "event deleted": (
        "DELETE FROM core_event WHERE account_id = {charlie} AND account_sequence = 2",
        "event {charlie} / 2 is not stored",
    ),
    "event made up": (
        "INSERT INTO core_event (kind, version, account_id, account_sequence, payload, occurred_at)"
        " SELECT kind, version, account_id, 99, payload, occurred_at FROM core_event"
        " WHERE account_id = {charlie} AND account_sequence = 2",
        "account {charlie}: sequence is 99",
    ),
    "order made up": (
        "UPDATE orders_enginelease SET batch = batch; CREATE TEMP TABLE fake ON COMMIT DROP AS"
        " SELECT * FROM orders_order WHERE id = '{canceled}'; UPDATE fake SET sequence = 2000,"
        " id = gen_random_uuid(), client_order_id = 'fake'; INSERT INTO orders_order TABLE fake",
        "engine counters: order_sequence is 2000",
    ),
    "halt": (
        "UPDATE marketdata_instrument SET status = 'HALTED'",
        "instrument {apple}: state is HALTED, replayed OPEN",
    ),
    "journal row deleted": (
        "DELETE FROM orders_journal WHERE batch = {last} - 1",
        "the journal has no row of batch ",
    ),
    "newest journal row deleted": (
        "DELETE FROM orders_journal WHERE batch = {last}",
        "the newest row is of batch ",
    ),
    "first journal row deleted": (
        "DELETE FROM orders_journal WHERE batch = 1",
        "the journal begins with batch 2, which is no start",
    ),
    "journal row unreadable": (
        "UPDATE orders_journal SET content = '\\x7800' WHERE batch = {last}",
        "batch {last}: Error -3 while decompressing",
    ),
    "journal row of another batch": (
        "UPDATE orders_journal SET content = (SELECT content FROM orders_journal WHERE batch = 4)"
        " WHERE batch = {last}",
        "",
    ),
    "journal row emptied": (
        "UPDATE orders_journal SET content = '\\x" + zlib.compress(b"\x90").hex() + "'"
        " WHERE batch = {last}",
        "",
    ),
    "start with other rows": (
        "UPDATE orders_journal SET content = (SELECT content FROM orders_journal WHERE batch = 1)"
        " WHERE batch = {last} - 1",
        "the engine started with other rows: ",
    ),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_found_and_named(tampering: str, names: Names) -> None:
    statements, expected = TAMPERINGS[tampering]
    assert after().difference is None

    difference = after(*statements.format(**names).split(";")).difference

    assert difference is not None
    assert expected.format(**names) in difference


NULLS_WRITTEN_OUT = (
    "UPDATE core_event SET payload = replace(payload::text,"
    ' \'"filled_quantity"\', \'"stop_price":null,"filled_quantity"\')::json'
    " WHERE payload->'order' IS NOT NULL"
)
"""As events were written before they left out what is null."""


def test_event_that_has_its_nulls_written_out_is_no_difference(names: Names) -> None:
    assert after(NULLS_WRITTEN_OUT).difference is None


def test_difference_of_such_an_event_does_not_name_its_nulls(names: Names) -> None:
    tampering = "UPDATE core_event SET version = 7 WHERE account_id = {charlie}"

    difference = after(NULLS_WRITTEN_OUT, tampering.format(**names)).difference

    assert difference is not None
    assert "version is 7, replayed 1" in difference
    assert "payload" not in difference


def test_difference_is_printed_and_the_exit_code_is_1(names: Names) -> None:
    balance = "UPDATE portfolio_balance SET total = total {} 1 WHERE account_id = {alice}"

    with connection.cursor() as cursor:
        cursor.execute(balance.format("+", **names))
    lines, code = replay()
    with connection.cursor() as cursor:
        cursor.execute(balance.format("-", **names))

    assert code == 1
    assert lines[-1].startswith(f"Not identical: account {names['alice']}: total is ")
