"""States of the market through the whole engine: stored, recovered, told, and asked for by an
operator.
"""

from collections.abc import Callable

import msgspec
import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from core.models import AuditEntry, Event
from marketdata.domain.market_states import STORED_STATES, MarketState
from marketdata.models import Instrument
from orders.domain import commands
from orders.domain.market_commands import SetBands
from orders.models import Order
from tests.accounts.console import REASON, run, shown
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, offline, quote, stored_state

pytestmark = pytest.mark.django_db(transaction=True)


def set_state(status: str) -> commands.SetInstrumentStatus:
    return commands.SetInstrumentStatus("AAPL", status, "status", "a reason")


@pytest.mark.parametrize("state", STORED_STATES)
def test_state_and_band_survive_a_restart(desk: Desk, state: MarketState) -> None:
    offline(SetBands("AAPL", "bands", market_band_bps=250), set_state(state.value))

    apple = Instrument.objects.get(symbol="AAPL")
    found = stored_state()["instruments"][apple.pk]
    assert (found["state"], found["market_band_bps"]) == (state, 250)
    assert_clean()


def test_restarted_engine_keeps_to_the_state(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(bids="99x5", asks="101x5"))
    engine.ask(set_state("POST_ONLY"))

    assert desk.place(engine, "alice", "BUY 1 MARKET") == "INSTRUMENT_POST_ONLY"
    engine.restart_after_kill()
    assert desk.place(engine, "alice", "BUY 1 MARKET") == "INSTRUMENT_POST_ONLY"
    assert desk.place(engine, "alice", "BUY 1 @ 100") == "ACCEPTED 0/1"


@pytest.mark.parametrize(
    ("action", "state", "said"),
    [
        ("call_auction", "AUCTION", "collects orders for an auction."),
        ("halt", "HALTED", "halted."),
        ("cancel_only", "CANCEL_ONLY", "takes no new orders now."),
        ("post_only", "POST_ONLY", "takes only orders that rest now."),
        ("resume", "OPEN", "resumed."),
    ],
)
def test_an_operator_changes_the_state_with_a_reason(
    engine: EngineProcess, client: Client, olga: User, action: str, state: str, said: str
) -> None:
    apple = Instrument.objects.get(symbol="AAPL")
    client.force_login(olga)

    response = run(client, Instrument, action, apple)

    assert [message.endswith(said) for message in shown(response)] == [True]
    apple.refresh_from_db()
    assert apple.status == state
    entry = AuditEntry.objects.filter(target="instrument:AAPL").latest("pk")
    assert (entry.actor, entry.reason) == (olga, REASON)


def test_a_state_that_there_is_not_is_no_command() -> None:
    command = msgspec.msgpack.encode(set_state("CLOSING"))

    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(command, type=commands.SetInstrumentStatus)


# --- auctions (X4 to X8)


def test_queued_orders_survive_a_restart_and_trade(
    desk: Desk, start_engine: Callable[[], EngineProcess]
) -> None:
    offline(
        quote(asks="100x50"), desk.submit("charlie", "BUY 5 MARKET"), set_state("AUCTION"),
        desk.submit("alice", "BUY 5 MARKET DAY"), desk.submit("charlie", "SELL 4 @ 99"),
    )  # fmt: skip
    before = stored_state()
    assert [order["status"] for order in before["orders"]] == ["QUEUED", "QUEUED"]
    assert_clean()
    engine = start_engine()

    engine.ask(set_state("OPEN"))

    rows = Order.objects.order_by("sequence").values_list("status", "filled_quantity", "reason")
    assert list(rows)[1:] == [("CANCELED", 4, "LIQUIDITY_EXHAUSTED"), ("FILLED", 4, "")]
    assert_clean()


def test_memory_after_an_auction_is_what_a_restart_finds(desk: Desk) -> None:
    offline(
        quote(asks="100x50"), desk.submit("charlie", "BUY 9 MARKET"),
        desk.submit("alice", "BUY 1 @ 90"), set_state("AUCTION"),
        desk.submit("alice", "BUY 5 @ 99"), desk.submit("charlie", "SELL 2 @ 99 DAY"),
        desk.submit("alice", "BUY 5 @ 90 DAY"), set_state("OPEN"),
    )  # fmt: skip

    apple = stored_state()["instruments"][Instrument.objects.get(symbol="AAPL").pk]

    assert [(price, leaves) for _, _, _, price, leaves in apple["book"]] == [
        (9_900, 3),
        (9_000, 1),
        (9_000, 5),
    ]
    assert apple["queue"] == []
    kinds = Event.objects.filter(kind__in=("OrderQueued", "OrderReleased")).values_list("kind")
    assert [kind for (kind,) in kinds.order_by("pk")] == [*["OrderQueued"] * 3, "OrderReleased"]
    assert_clean()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE orders_order SET status = 'ACCEPTED' WHERE status = 'QUEUED' AND type = 'MARKET'",
        "UPDATE orders_order SET limit_price = 1 WHERE status = 'QUEUED'",
        "UPDATE orders_order SET expires_at = NULL WHERE status = 'QUEUED'",
        "DELETE FROM core_event WHERE kind = 'OrderQueued'",
    ],
)
def test_a_changed_queued_order_is_found(desk: Desk, tampering: str) -> None:
    offline(quote(bids="99x5", asks="101x5"), set_state("AUCTION"))
    offline(quote(bids="99x5", asks="101x5"), desk.submit("alice", "BUY 5 MARKET DAY"))
    assert_clean()
    with connection.cursor() as cursor:
        cursor.execute(tampering)

    with pytest.raises(AssertionError):
        assert_clean()
