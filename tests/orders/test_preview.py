"""The preview refuses what the engine would refuse, in the same order, and fails at nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.domain.units import UNITS_PER_ONE
from marketdata.domain.market_states import MarketState
from marketdata.domain.sessions import MarketHours
from orders.domain.preview import preview
from orders.domain.preview_checks import DraftOrder, MarginMeans, Market, Means
from orders.domain.values import OrderType, Side, TimeInForce
from risk.domain.checks import InstrumentTerms
from risk.domain.reasons import DenialReason

APPLE = InstrumentTerms(
    symbol="AAPL",
    currency="USD",
    tick_units=UNITS_PER_ONE // 100,
    lot_units=UNITS_PER_ONE,
    min_notional_units=0,
)
RICH = Means(free_units=10**20, position_units=10**20, locked_units=0)


@pytest.mark.parametrize(
    ("quantity", "limit_price", "reason"),
    [
        ("1.000000001", "10", DenialReason.QUANTITY_OFF_LOT),
        ("1.000000001", None, DenialReason.QUANTITY_OFF_LOT),
        ("1.0000000000001", "10.0000000000001", DenialReason.QUANTITY_OFF_LOT),
        ("1", "10.000000001", DenialReason.PRICE_OFF_TICK),
        ("1e30", "10", DenialReason.QUANTITY_OUT_OF_RANGE),
        ("1", "1e30", DenialReason.PRICE_OUT_OF_RANGE),
    ],
)
def test_an_order_off_the_grid_is_refused_before_anything_is_estimated(
    quantity: str, limit_price: str | None, reason: DenialReason
) -> None:
    draft = DraftOrder(
        Side.BUY,
        OrderType.MARKET if limit_price is None else OrderType.LIMIT,
        Decimal(quantity),
        None if limit_price is None else Decimal(limit_price),
    )

    seen = preview(draft, Market([(Decimal(10), Decimal(5))]), terms=APPLE, means=RICH)

    assert seen.denial is not None
    assert seen.denial.reason is reason
    assert (seen.price, seen.notional, seen.takeable) == (None, None, 0)


def test_a_sell_below_a_market_that_pays_too_much_is_refused() -> None:
    draft = DraftOrder(Side.SELL, OrderType.LIMIT, Decimal(1_000_000), Decimal(1))

    seen = preview(draft, Market([(Decimal(2_000), Decimal(1_000_000))]), terms=APPLE, means=RICH)

    assert seen.notional == 2_000_000_000
    assert seen.denial is not None
    assert seen.denial.reason is DenialReason.NOTIONAL_ABOVE_MAXIMUM


@pytest.mark.parametrize(
    ("side", "limit_price", "price"),
    [("BUY", None, "107.62"), ("BUY", "106", "106"), ("SELL", None, "105"), ("SELL", "104", "104")],
)
def test_a_stop_is_priced_at_what_it_holds(side: str, limit_price: str | None, price: str) -> None:
    draft = stop(side, limit_price)

    seen = preview(draft, Market([(Decimal(100), Decimal(50))]), terms=APPLE, means=RICH)

    assert (seen.price, seen.notional) == (Decimal(price), Decimal(price) * 10)
    assert (seen.takeable, seen.denial) == (0, None)


@pytest.mark.parametrize(
    ("side", "last_price", "is_passed"),
    [
        ("BUY", "104.99", False),
        ("BUY", "105", True),
        ("SELL", "105.01", False),
        ("SELL", "9", True),
    ],
)
def test_a_stop_that_the_market_has_passed_is_refused(
    side: str, last_price: str, is_passed: bool
) -> None:
    seen = preview(stop(side, None), Market([], Decimal(last_price)), terms=APPLE, means=RICH)

    reason = None if seen.denial is None else seen.denial.reason
    assert reason == (DenialReason.STOP_PRICE_PASSED if is_passed else None)


@pytest.mark.parametrize(
    ("quantity", "limit_price", "fee"),
    [("5", None, "0.5"), ("8", "100", "0.59"), ("5", "99", "0.1485")],
)
def test_the_fee_to_expect_is_the_takers_now_and_the_makers_on_the_rest(
    quantity: str, limit_price: str | None, fee: str
) -> None:
    means = Means(10**20, 10**20, 0, maker_rate=30_000, taker_rate=100_000)
    draft = DraftOrder(
        Side.BUY,
        OrderType.MARKET if limit_price is None else OrderType.LIMIT,
        Decimal(quantity),
        None if limit_price is None else Decimal(limit_price),
    )

    seen = preview(draft, Market([(Decimal(100), Decimal(5))]), terms=APPLE, means=means)

    assert seen.fee == Decimal(fee)


@pytest.mark.parametrize(
    ("free", "is_refused"), [(100_099_999_999, True), (100_100_000_000, False)]
)
def test_a_buy_must_cover_its_fee(free: int, is_refused: bool) -> None:
    means = Means(free, 0, 0, maker_rate=0, taker_rate=100_000)
    draft = DraftOrder(Side.BUY, OrderType.LIMIT, Decimal(10), Decimal(100))

    seen = preview(draft, Market([]), terms=APPLE, means=means)

    assert (seen.denial is not None) is is_refused


def test_a_stop_must_be_covered_by_what_there_is() -> None:
    poor = Means(free_units=1076 * UNITS_PER_ONE, position_units=9 * UNITS_PER_ONE, locked_units=0)

    reasons = [
        seen.denial.reason
        for side in ("BUY", "SELL")
        if (seen := preview(stop(side, None), Market([]), terms=APPLE, means=poor)).denial
    ]

    assert reasons == [DenialReason.FUNDS_INSUFFICIENT, DenialReason.POSITION_INSUFFICIENT]


def stop(side: str, limit_price: str | None) -> DraftOrder:
    return DraftOrder(
        Side(side),
        OrderType.STOP if limit_price is None else OrderType.STOP_LIMIT,
        Decimal(10),
        None if limit_price is None else Decimal(limit_price),
        Decimal(105),
    )


def test_market_order_is_priced_as_far_as_its_collar() -> None:
    draft = DraftOrder(Side.BUY, OrderType.MARKET, Decimal(3), None)
    asks = [(Decimal(price), Decimal(1)) for price in ("100", "105", "105.01")]

    seen = preview(draft, Market(asks), terms=APPLE, means=RICH)

    assert (seen.takeable, seen.notional) == (2, 205)
    assert seen.denial is None


@pytest.mark.parametrize(
    ("side", "held", "quantity", "reason"),
    [
        ("BUY", 0, 20, None),
        ("BUY", 0, 21, DenialReason.FUNDS_INSUFFICIENT),
        ("SELL", 0, 20, None),
        ("SELL", 5, 6, DenialReason.POSITION_INSUFFICIENT),
        ("BUY", -5, 6, DenialReason.POSITION_INSUFFICIENT),
        ("BUY", -50, 50, None),
    ],
)
def test_a_margin_account_opens_by_its_excess_and_closes_by_its_position(
    side: str, held: int, quantity: int, reason: DenialReason | None
) -> None:
    margin = MarginMeans(1_000 * UNITS_PER_ONE, 2, is_marginable=True, may_short=True)
    means = Means(0, held * UNITS_PER_ONE, 0, margin=margin)
    draft = DraftOrder(Side(side), OrderType.LIMIT, Decimal(quantity), Decimal(100))

    seen = preview(draft, Market([]), terms=APPLE, means=means)

    assert (seen.denial.reason if seen.denial else None) == reason


def test_a_margin_accounts_buying_power_falls_by_what_the_order_is_worth() -> None:
    margin = MarginMeans(1_000 * UNITS_PER_ONE, 2, is_marginable=True, may_short=True)
    draft = DraftOrder(Side.BUY, OrderType.LIMIT, Decimal(5), Decimal(100))

    seen = preview(draft, Market([]), terms=APPLE, means=Means(0, 0, 0, margin=margin))

    assert seen.free_after == 1_500


OFFERED = [(Decimal(100), Decimal(50))]
CLOSED = Market(
    OFFERED, hours=MarketHours(False, datetime(2026, 3, 2, 14, 30, tzinfo=UTC), calendar="XNYS")
)
CALLED = Market(OFFERED, state=MarketState.AUCTION)
LIMIT = DraftOrder(Side.BUY, OrderType.LIMIT, Decimal(10), Decimal(101))
AT_MARKET = DraftOrder(Side.BUY, OrderType.MARKET, Decimal(10), None)


@pytest.mark.parametrize(
    ("market", "state"), [(CLOSED, MarketState.CLOSED), (CALLED, MarketState.AUCTION)]
)
def test_an_order_for_a_market_that_collects_waits_and_takes_nothing(
    market: Market, state: MarketState
) -> None:
    limit, at_market = (
        preview(draft, market, terms=APPLE, means=RICH) for draft in (LIMIT, AT_MARKET)
    )

    assert (limit.denial, limit.waits_in, limit.takeable) == (None, state, 0)
    assert (limit.price, limit.notional) == (101, 1010)
    assert (at_market.denial, at_market.waits_in, at_market.takeable) == (None, state, 0)
    assert (at_market.price, at_market.notional) == (None, None)


def test_a_queued_market_order_needs_the_means_for_its_collar() -> None:
    means = replace(RICH, free_units=1_049 * UNITS_PER_ONE)

    seen = preview(AT_MARKET, replace(CLOSED, band_bps=500), terms=APPLE, means=means)

    assert seen.denial is not None
    assert seen.denial.reason is DenialReason.FUNDS_INSUFFICIENT
    assert seen.denial.facts["required"] == "1050"


@pytest.mark.parametrize("changes", [{"time_in_force": TimeInForce.IOC}, {"post_only": True}])
def test_what_would_have_to_trade_at_once_is_told_when_a_closed_market_opens(
    changes: dict[str, object],
) -> None:
    closed = preview(replace(LIMIT, **changes), CLOSED, terms=APPLE, means=RICH)
    called = preview(replace(LIMIT, **changes), CALLED, terms=APPLE, means=RICH)

    assert closed.denial is not None and called.denial is not None
    assert closed.denial.reason is DenialReason.MARKET_CLOSED
    assert closed.denial.facts["opens_at"] == "2026-03-02T14:30:00.000000Z"
    assert called.denial.reason is DenialReason.INSTRUMENT_AUCTION


def test_a_state_that_takes_no_orders_goes_before_the_hours() -> None:
    halted = replace(CLOSED, state=MarketState.HALTED)
    unknown = Market(OFFERED, hours=MarketHours(False, None, calendar="XNYS"))

    denials = [
        preview(LIMIT, market, terms=APPLE, means=RICH).denial for market in (halted, unknown)
    ]

    assert [denial.reason for denial in denials if denial] == [
        DenialReason.INSTRUMENT_HALTED,
        DenialReason.CALENDAR_UNKNOWN,
    ]
