"""Fees: who pays what, what is held, and that a change of tier never breaks a hold (H1 to H5)."""

import random
from decimal import Decimal

import pytest

from orders.domain import commands
from portfolio.domain.fees import fee_of
from tests.simulation.floor import (
    ACCOUNTS,
    ALICE,
    HOUSE,
    Floor,
    cash_of,
    denial,
    order_id_of,
    submit_command,
)


def charge(floor: Floor, who: str, maker: str, taker: str, code: str = "T1") -> None:
    """Give the account a tier of these rates."""
    floor.do(commands.SetFeeTier(code, "Tier", Decimal(maker), Decimal(taker), "r", "a reason"))
    floor.do(commands.SetAccountTier(ACCOUNTS[who], code, "r", "a reason"))


def fees_of(floor: Floor) -> list[int]:
    return [row.fee_units for row in floor.executions]


def test_taker_pays_the_taker_rate_and_maker_the_maker_rate() -> None:
    floor = Floor()
    charge(floor, "alice", "1", "10", "A")
    charge(floor, "charlie", "2", "20", "C")
    floor.give("charlie", "5", "100")
    floor.place("charlie-1", "SELL 5 @ 100")

    assert floor.place("alice-1", "BUY 5 @ 101") == "FILLED 5/5"

    assert floor.transfers == ["3 pays 4 500", "4 pays 1 0.1", "3 pays 1 0.5"]
    assert [row.kind for row in floor.changes.transfers] == ["TRADE", "FEE", "FEE"]
    assert floor.cash("alice") == "9499.5"
    assert floor.cash("charlie") == "9998.9"  # 10000 - 500 - 1 + 500 - 0.1
    assert floor.state.accounts[ALICE].balance.fees == 50_000_000
    assert cash_of(floor.state.accounts[HOUSE]) == "-19998.4"
    floor.check()


def test_cost_and_profit_know_no_fees() -> None:
    floor = Floor()
    charge(floor, "alice", "10", "10")
    floor.give("alice", "5", "100")
    floor.quote(bids="102x5")

    floor.place("alice-1", "SELL 5 MARKET")

    assert floor.position("alice") == "0 for 0 realized 10"
    assert floor.cash("alice") == "10008.99"  # 10 gained, 0.5 and 0.51 paid


def test_fee_is_rounded_down_and_too_small_a_fee_is_none() -> None:
    floor = Floor()
    charge(floor, "alice", "0", "0.0001")
    floor.quote(asks="64000x0.0003", symbol="BTC/USD")

    floor.place("alice-1", "BUY 0.0001 MARKET", symbol="BTC/USD")

    assert fees_of(floor) == [6]  # 6.4 × 10^-8 rounded down
    charge(floor, "alice", "0", "0.0000")
    floor.place("alice-2", "BUY 0.0001 MARKET", symbol="BTC/USD")
    assert fees_of(floor) == [0]
    assert len(floor.transfers) == 1


def test_buy_holds_its_fee_and_gives_back_what_a_fill_did_not_need() -> None:
    floor = Floor()
    charge(floor, "alice", "1", "10")

    floor.place("alice-1", "BUY 10 @ 100")

    assert floor.cash("alice") == "10000 (1001 locked)"
    floor.street_trade("SELL 4 @ 99")
    assert fees_of(floor) == [4_000_000]
    assert floor.cash("alice") == "9599.96 (600.6 locked)"
    floor.cancel("alice-1")
    assert floor.cash("alice") == "9599.96"
    floor.check()


@pytest.mark.parametrize("text", ["BUY 10 @ 100", "BUY 10 MARKET", "BUY 10 @ 100 IOC"])
def test_funds_short_by_a_unit_are_refused_and_exactly_enough_is_enough(text: str) -> None:
    floor = Floor(cash="0")
    charge(floor, "alice", "1", "10")
    floor.quote(asks="100x10")
    floor.deposit("alice", "1000.99999999")

    assert floor.place("alice-1", text) == "FUNDS_INSUFFICIENT"
    assert floor.changes.is_empty

    floor.deposit("alice", "0.00000001")
    assert floor.place("alice-2", text) == "FILLED 10/10"
    assert floor.cash("alice") == "0"


def test_refusal_names_the_cost_with_its_fee() -> None:
    floor = Floor(cash="1000")
    charge(floor, "alice", "1", "10")

    reply = floor.do(_buy("BUY 10 @ 100"))

    assert denial(reply) == "FUNDS_INSUFFICIENT"
    assert getattr(reply, "facts", {})["required"] == "1001"


def _buy(text: str) -> commands.SubmitOrder:

    return submit_command("alice-9", text)


def test_raised_rates_never_reach_orders_that_are_open() -> None:
    floor = Floor(cash="1001")
    charge(floor, "alice", "1", "10")
    floor.place("alice-1", "BUY 10 @ 100")
    charge(floor, "alice", "500", "1000")

    floor.street_trade("SELL 10 @ 99")

    assert fees_of(floor) == [100_000_000]  # the cap: 10 bps, not 500
    assert floor.cash("alice") == "0"
    floor.check()


def test_lowered_rates_apply_from_the_next_fill() -> None:
    floor = Floor()
    charge(floor, "alice", "5", "10")
    floor.place("alice-1", "BUY 10 @ 100")
    floor.street_trade("SELL 5 @ 99")
    assert fees_of(floor) == [25_000_000]

    charge(floor, "alice", "0", "10")

    floor.street_trade("SELL 5 @ 99")
    assert fees_of(floor) == [0]
    assert floor.cash("alice") == "8999.75"


def test_an_account_that_leaves_its_tier_pays_nothing_more() -> None:
    floor = Floor()
    charge(floor, "alice", "5", "10")
    floor.place("alice-1", "BUY 10 @ 100")

    floor.do(commands.SetAccountTier(ALICE, "", "r"))

    floor.street_trade("SELL 10 @ 99")
    assert fees_of(floor) == [0]
    assert floor.cash("alice") == "9000"


def test_a_sell_pays_out_of_what_it_brings() -> None:
    floor = Floor(cash="500")
    floor.give("alice", "5", "100")
    charge(floor, "alice", "1000", "1000")
    floor.quote(bids="10x5")
    assert floor.cash("alice") == "0"

    assert floor.place("alice-1", "SELL 5 MARKET") == "FILLED 5/5"

    assert floor.cash("alice") == "45"


@pytest.mark.parametrize(
    ("maker", "taker"), [("2", "1"), ("-1", "1"), ("0", "1000.0001"), ("0.00001", "1")]
)
def test_rates_that_cannot_be_are_refused(maker: str, taker: str) -> None:
    floor = Floor()

    reply = floor.do(commands.SetFeeTier("T1", "Tier", Decimal(maker), Decimal(taker), "r"))

    assert denial(reply) == "FEE_RATES_INVALID"
    assert floor.changes.is_empty
    assert floor.state.fee_tiers == {}


def test_tier_that_nobody_made_is_refused() -> None:
    floor = Floor()

    assert denial(floor.do(commands.SetAccountTier(ALICE, "T9", "r"))) == "FEE_TIER_UNKNOWN"
    assert denial(floor.do(commands.SetAccountTier(HOUSE, "", "r"))) == "ACCOUNT_UNKNOWN"


def test_tiers_are_on_record() -> None:
    floor = Floor()

    charge(floor, "alice", "1.5", "10")

    (entry,) = floor.changes.audits
    assert (entry.action, entry.target, entry.reason) == (
        "AccountFeeTierSet",
        "trading-account:3",
        "a reason",
    )
    assert entry.facts == {"tier": "T1", "tier_before": ""}
    assert not floor.changes.is_empty


def test_fees_of_the_parts_never_exceed_the_fee_of_the_whole() -> None:
    """A110: a million random fills, and nobody gains or loses by rounding."""
    draw = random.Random(1)
    charged = reserved = 0
    for _ in range(100_000):
        rate = draw.randint(0, 10**7)
        parts = [draw.randint(1, 10**12) for _ in range(10)]
        fees = sum(fee_of(part, rate) for part in parts)
        whole = fee_of(sum(parts), rate)
        assert whole - len(parts) < fees <= whole
        charged += fees
        reserved += whole
    assert charged <= reserved


def test_an_amended_order_holds_what_it_would_have_held_from_the_start() -> None:
    floor = Floor()
    charge(floor, "alice", "0", "0.3333")
    floor.place("alice-2", "BUY 7 @ 33.33")
    floor.street_trade("SELL 2 @ 33")
    order = floor.state.orders[order_id_of("alice-2")]

    floor.do(commands.AmendOrder(order.id, ALICE, Decimal(5), "r"))

    def held(lots: int) -> int:
        notional = 3333 * lots * 1_000_000
        return notional + fee_of(notional, 3333)

    assert (order.hold, order.hold_placed) == (held(3), held(5))
