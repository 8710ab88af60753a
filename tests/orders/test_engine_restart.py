"""An engine that was killed comes back as it was: books, priority, holds, counters, terms."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from marketdata.models import Feed, FeedRoute, Instrument
from orders.domain import commands
from orders.domain.replies import CanceledReply
from orders.models import Execution, Order
from orders.verification import discrepancies
from portfolio.models import Hold
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, offline, quote, stored_state
from tests.orders.replaying import after
from tests.simulation.dump import dump
from tests.simulation.floor import Floor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def trade_a_while(engine: EngineProcess, desk: Desk) -> None:
    """Leaves orders of every kind behind: open, partly filled, filled, canceled, on both sides."""
    engine.ask(quote(bids="99x5", asks="101x9 102x9"))
    for name, text in (
        ("alice", "BUY 12 @ 102"),
        ("charlie", "BUY 8 @ 101.5"),
        ("charlie", "SELL 3 @ 103 DAY"),
        ("alice", "SELL 2 @ 103"),
        ("alice", "SELL 2 @ 104"),
        ("bob", "BUY 1 @ 100.5 DAY"),
        ("charlie", "BUY 1 @ 100.5"),
        ("alice", "BUY 1 @ 100.5"),
        ("charlie", "SELL 4 @ 99 IOC"),
        ("alice", "BUY 9 @ 50 FOK"),
    ):
        desk.place(engine, name, text)
    engine.ask(quote(asks="64000x0.02", symbol="BTC/USD"))
    desk.place(engine, "alice", "BUY 0.0301 @ 64000", symbol="BTC/USD")


def test_state_is_the_same_after_a_restart(engine: EngineProcess, desk: Desk) -> None:
    trade_a_while(engine, desk)
    engine.kill()
    before = stored_state()

    engine.start()
    engine.ask(commands.ExpireOrders())
    engine.kill()

    assert before["counters"][0] > 0
    assert len(before["orders"]) >= 6
    assert stored_state() == before
    assert_clean()


def test_stored_state_equals_the_state_in_memory(desk: Desk) -> None:
    """The same commands, once through core and database, once through a core that never stops."""
    floor, street = Floor(), quote(bids="99x5", asks="101x9 102x9")
    floor.do(street)
    story = [
        ("alice-1", "BUY 12 @ 102"),
        ("charlie-1", "BUY 8 @ 101.5"),
        ("charlie-2", "SELL 3 @ 103 DAY"),
        ("alice-2", "SELL 2 @ 103"),
        ("bob-1", "BUY 1 @ 100.5"),
        ("charlie-3", "BUY 1 @ 100.5"),
    ]
    for name, text in story:
        floor.place(name, text)
    offline(street, *(desk.submit(name, text) for name, text in story))

    stored, memory = stored_state(), dump(floor.state)

    assert stored["counters"] == memory["counters"]
    assert [balance_of(stored, desk, who) for who in ("alice", "charlie")] == [
        memory["accounts"][number]["balance"] for number in (3, 4)
    ]
    for mine, theirs in zip(memory["orders"], stored["orders"], strict=True):
        for field in ("sequence", "side", "quantity", "limit_price", "filled", "hold", "status"):
            assert mine[field] == theirs[field]
    books = [next(iter(state["instruments"].values()))["book"] for state in (stored, memory)]
    assert [row[2:] for row in books[0]] == [row[2:] for row in books[1]]


def balance_of(state: dict[str, object], desk: Desk, who: str) -> object:
    return state["accounts"][desk.accounts[who].pk]["balance"]  # type: ignore[index]


def test_waiting_stops_survive_and_are_elected(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(bids="99x50", asks="101x50"))
    desk.place(engine, "alice", "BUY 5 MARKET")
    desk.place(engine, "charlie", "BUY 5 MARKET")
    desk.place(engine, "alice", "SELL 3 STOP 99")
    desk.place(engine, "alice", "SELL 1 @ 98.5 STOP 98 DAY")
    desk.place(engine, "charlie", "BUY 2 STOP 120")
    engine.kill()
    before = stored_state()

    engine.start()
    engine.ask(quote(bids="99x50", asks="101x50"))
    assert stored_state() == before
    assert len(next(iter(before["instruments"].values()))["stops"]) == 3
    desk.place(engine, "charlie", "SELL 1 MARKET")

    ends = Order.objects.filter(stop_price__isnull=False).order_by("sequence")
    assert [(row.status, row.filled_quantity) for row in ends] == [
        ("FILLED", 3), ("ACCEPTED", 0), ("ACCEPTED", 0),
    ]  # fmt: skip
    assert_clean()


def test_an_elected_order_keeps_its_place_behind_older_ones(
    engine: EngineProcess, desk: Desk
) -> None:
    engine.ask(quote(bids="99x50", asks="101x50"))
    for who in ("alice", "charlie"):
        desk.place(engine, who, "BUY 5 MARKET")
    desk.place(engine, "alice", "SELL 3 @ 110 STOP 99")
    desk.place(engine, "charlie", "SELL 2 @ 110")
    desk.place(engine, "charlie", "SELL 1 MARKET")
    engine.kill()

    engine.start()
    state = stored_state()
    engine.kill()

    book = next(iter(state["instruments"].values()))["book"]
    owners = [desk.accounts[who].owner_id for who in ("charlie", "alice")]
    assert [row[1] for row in book] == owners
    assert_clean()


def test_the_last_trade_is_known_after_a_restart(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(bids="99x50", asks="101x50"))
    desk.place(engine, "alice", "BUY 5 MARKET")
    engine.kill()

    engine.start()

    assert desk.place(engine, "alice", "SELL 5 STOP 101") == "STOP_PRICE_PASSED"


def test_priority_survives(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(asks="90x3"))
    desk.place(engine, "charlie", "BUY 3 MARKET")
    desk.place(engine, "alice", "BUY 1 @ 100")
    desk.place(engine, "bob", "BUY 1 @ 101")
    desk.place(engine, "alice", "BUY 1 @ 100")

    engine.restart_after_kill()
    assert desk.place(engine, "charlie", "SELL 2 @ 100") == "FILLED 2/2"

    statuses = (
        Order.objects.filter(side="BUY").order_by("sequence").values_list("status", flat=True)
    )
    assert list(statuses) == ["FILLED", "FILLED", "FILLED", "ACCEPTED"]
    assert_clean()


def test_what_was_held_is_held_and_can_be_given_back(engine: EngineProcess, desk: Desk) -> None:
    desk.place(engine, "alice", "BUY 100 @ 60")
    engine.restart_after_kill()

    assert desk.place(engine, "alice", "BUY 100 @ 40.01") == "FUNDS_INSUFFICIENT"
    assert desk.place(engine, "alice", "BUY 100 @ 40") == "ACCEPTED 0/100"

    assert desk.cancel_all(engine, "alice") == [
        "CANCELED 0/100 USER_REQUESTED",
        "CANCELED 0/100 USER_REQUESTED",
    ]
    assert Hold.objects.filter(state="VOIDED").count() == 2
    assert_clean()


def test_numbering_goes_on(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(asks="100x9"))
    desk.place(engine, "alice", "BUY 1 MARKET")
    engine.restart_after_kill()
    engine.ask(quote(asks="100x9"))
    desk.place(engine, "alice", "BUY 1 MARKET")

    assert list(Order.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2]
    assert list(Execution.objects.order_by("id").values_list("id", flat=True)) == [1, 2]
    assert_clean()  # the events too


def test_partly_filled_order_fills_on(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(asks="100x2"))
    desk.place(engine, "alice", "BUY 5 @ 100")
    engine.restart_after_kill()

    engine.ask(quote(asks="99x3"))

    order = Order.objects.get()
    assert order.status == "FILLED"
    assert (order.filled_quantity, order.filled_notional) == (Decimal(5), Decimal(500))
    assert_clean()


def test_street_does_not_outlive_the_engine(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(asks="100x2"))
    engine.restart_after_kill()

    assert desk.place(engine, "alice", "BUY 1 MARKET") == "LIQUIDITY_NONE"


def test_engine_learns_at_its_start_which_instruments_follow_a_feed(
    engine: EngineProcess, desk: Desk, instruments: dict[str, Instrument]
) -> None:
    feed = Feed.objects.create(name="simulated", adapter="simulated")
    FeedRoute.objects.create(instrument=instruments["AAPL"], feed=feed)
    desk.place(engine, "charlie", "BUY 5 @ 0.01")
    engine.restart_after_kill()

    assert desk.place(engine, "alice", "BUY 1 MARKET") == "REFERENCE_MISSING"  # M17
    assert desk.place(engine, "alice", "BUY 1 MARKET", symbol="BTC/USD") == "LIQUIDITY_NONE"
    engine.ask(quote(bids="99x5", asks="101x5"))
    assert desk.place(engine, "alice", "BUY 1 MARKET") == "FILLED 1/1"
    assert_clean()

    FeedRoute.objects.all().delete()
    engine.restart_after_kill()
    assert desk.place(engine, "alice", "SELL 1 MARKET") == "FILLED 1/1"
    assert_clean()


def test_restart_lets_no_order_overtake_the_street(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(bids="100x4", asks="102x4"))
    desk.place(engine, "alice", "BUY 5 @ 100")  # behind 4
    engine.restart_after_kill()
    trade = commands.PrintStreetTrade("AAPL", *quote("100x3").bids[0], "SELL")  # type: ignore[arg-type]

    engine.ask(trade)  # nobody knows yet what stands ahead
    engine.ask(quote(bids="100x4", asks="102x4"))
    engine.ask(trade)
    assert Execution.objects.count() == 0
    engine.ask(trade)

    assert Execution.objects.get().quantity == 2


def test_day_order_whose_day_ended_during_an_outage_expires_before_it_can_trade(
    engine: EngineProcess, desk: Desk
) -> None:
    desk.place(engine, "alice", "BUY 5 @ 100 DAY")
    desk.place(engine, "charlie", "BUY 5 @ 100 GTC")
    engine.kill()
    let_the_day_pass()

    engine.start()
    engine.ask(quote(asks="99x10"))

    statuses = Order.objects.order_by("sequence").values_list("status", flat=True)
    assert list(statuses) == ["EXPIRED", "FILLED"]
    assert Order.objects.get(status="EXPIRED").reason == "DAY_END"
    assert [*discrepancies()] == []
    difference = after().difference
    assert difference is not None
    assert "expires_at is " in difference  # let_the_day_pass went behind the engine's back


def let_the_day_pass() -> None:
    """As if the day orders had been placed two days ago."""
    past = datetime.now(UTC) - timedelta(days=1)
    Order.objects.filter(expires_at__isnull=False).update(expires_at=past)


def test_open_order_without_its_hold_stops_the_start(engine: EngineProcess, desk: Desk) -> None:
    desk.place(engine, "alice", "BUY 5 @ 100")
    engine.kill()
    Hold.objects.all().delete()

    engine.start(is_leading=False)

    assert engine.wait() == 1
    assert f"open order {Order.objects.get().pk} has no hold" in engine.log


def test_expired_orders_are_told_without_any_traffic(engine: EngineProcess, desk: Desk) -> None:
    desk.place(engine, "alice", "BUY 5 @ 100 DAY")
    engine.kill()
    let_the_day_pass()
    engine.start()

    reply = engine.ask(commands.CancelAllOrders(desk.accounts["alice"].pk, "r"))

    assert reply == CanceledReply([])
    assert Order.objects.get().status == "EXPIRED"


def test_sums_beyond_64_bits_are_stored(engine: EngineProcess, desk: Desk) -> None:
    """The house's balance outgrows 2^63 units (92 billion) with the tenth largest deposit."""
    deposit = desk.deposit("alice", "10000000000")

    engine.ask_all([deposit] * 10)

    with connection.cursor() as cursor:
        cursor.execute("SELECT min(total), max(total) FROM portfolio_balance")
        assert cursor.fetchone() == (-100_000_020_000, 100_000_010_000)
    assert engine.poll() is None
    assert_clean()
