"""What listeners are told: kinds, numbering without gaps, every field of the payload."""

import msgspec

from tests.simulation.floor import ALICE, CHARLIE, SECOND_NS, Floor, account, order_id_of

ALICE_ID = account(ALICE).public_id
CHARLIE_ID = account(CHARLIE).public_id


def test_numbering_is_the_accounts_own_and_has_no_gaps() -> None:
    floor = Floor()
    told: dict[str, list[int]] = {ALICE_ID: [1], CHARLIE_ID: [1]}  # the deposits

    floor.quote(asks="101x2", bids="99x2")
    for name, order in (
        ("alice-1", "BUY 5 @ 101"),
        ("charlie-1", "BUY 1 MARKET"),
        ("charlie-2", "BUY 500 @ 101"),
        ("alice-2", "BUY 1 @ 98 FOK"),
        ("bob-1", "SELL 1 @ 101.01"),
    ):
        floor.place(name, order)
        for event in floor.account_events:
            told[event.account_id].append(event.account_sequence)
    floor.cancel_all("alice")
    told[ALICE_ID] += [event.account_sequence for event in floor.account_events]

    assert told[ALICE_ID] == list(range(1, 9))
    assert told[CHARLIE_ID] == [1]


def test_payload_of_acceptance_has_no_nulls() -> None:
    floor = Floor()

    floor.place("alice-1", "BUY 5 @ 100.5 DAY", client_order_id="mine")

    (event,) = floor.account_events
    assert msgspec.to_builtins(event) == {
        "event": "OrderAccepted",
        "version": 1,
        "account_id": ALICE_ID,
        "account_sequence": 2,
        "occurred_at": "2026-03-02T15:30:00.000000Z",
        "request_id": "request-alice-1",
        "order": {
            "id": str(order_id_of("alice-1")),
            "client_order_id": "mine",
            "symbol": "AAPL",
            "asset_class": "us_equity",
            "asset_id": "00000000-0000-0000-0000-000000000001",
            "side": "BUY",
            "type": "LIMIT",
            "time_in_force": "DAY",
            "quantity": "5",
            "limit_price": "100.5",
            "filled_quantity": "0",
            "leaves_quantity": "5",
            "status": "ACCEPTED",
            "submitted_at": "2026-03-02T15:30:00.000000Z",
            "updated_at": "2026-03-02T15:30:00.000000Z",
            "expires_at": "2026-03-03T00:00:00.000000Z",
            "prevented_quantity": "0",
            "stp_mode": "REJECT",
            "post_only": False,
            "reduce_only": False,
        },
        "balance": {"currency": "USD", "total": "10000", "locked": "502.5", "free": "9497.5"},
    }


def test_payload_of_fills() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 3 @ 100")
    floor.wait(2 * SECOND_NS)

    floor.quote(asks="99x1")
    floor.wait(SECOND_NS)
    (first,) = floor.account_events
    floor.quote(asks="99x2")
    (second,) = floor.account_events

    assert first.order is not None
    assert second.order is not None
    assert first.execution is not None
    assert (first.event, first.order.status) == ("OrderPartiallyFilled", "PARTIALLY_FILLED")
    assert (first.order.filled_quantity, first.order.leaves_quantity) == ("1", "2")
    assert first.occurred_at == first.order.updated_at == "2026-03-02T15:30:02.000000Z"
    assert msgspec.to_builtins(first.execution) == {
        "id": "7ead0000-0000-8000-8000-000000000001",
        "order_id": first.order.id,
        "symbol": "AAPL",
        "side": "BUY",
        "price": "100",
        "quantity": "1",
        "liquidity": "MAKER",
        "fee": "0",
        "occurred_at": "2026-03-02T15:30:02.000000Z",
    }
    assert (second.event, second.order.status) == ("OrderFilled", "FILLED")
    assert second.order.closed_at == "2026-03-02T15:30:03.000000Z"
    assert second.order.leaves_quantity == "0"
    assert second.order.average_price == "100"
    assert msgspec.to_builtins(second.position) == {
        "symbol": "AAPL",
        "asset_class": "us_equity",
        "quantity": "3",
        "locked": "0",
        "average_entry_price": "100",
        "cost_basis": "300",
        "realized_pnl": "0",
    }
    assert msgspec.to_builtins(second.balance) == {
        "currency": "USD",
        "total": "9700",
        "locked": "0",
        "free": "9700",
    }


def test_average_price_is_rounded_half_up_to_eight_decimals() -> None:
    floor = Floor()
    floor.quote(asks="100x1 101x2")

    floor.place("alice-1", "BUY 3 @ 101")

    *_, last = floor.account_events
    assert last.order is not None
    assert last.position is not None
    assert last.order.average_price == "100.66666667"
    assert last.position.average_entry_price == "100.66666667"
    assert last.position.cost_basis == "302"


def test_each_side_of_a_trade_is_told_of_its_own_order_only() -> None:
    floor = Floor()
    floor.give("charlie", "5", "100")
    floor.place("charlie-1", "SELL 5 @ 100")

    floor.place("alice-1", "BUY 5 @ 100")

    orders = {(event.account_id, event.order.id) for event in floor.account_events if event.order}
    assert orders == {
        (ALICE_ID, str(order_id_of("alice-1"))),
        (CHARLIE_ID, str(order_id_of("charlie-1"))),
    }


def test_street_and_house_have_no_events() -> None:
    floor = Floor()

    floor.give("alice", "5", "100")

    numbers = {number for number, _ in floor.changes.events}
    assert numbers <= {ALICE}
