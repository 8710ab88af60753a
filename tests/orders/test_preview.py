"""The preview refuses what the engine would refuse, in the same order, and fails at nothing."""

from decimal import Decimal

import pytest

from core.domain.units import UNITS_PER_ONE
from orders.domain.preview import DraftOrder, Means, preview
from orders.domain.values import OrderType, Side
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

    seen = preview(draft, opposite=[(Decimal(10), Decimal(5))], terms=APPLE, means=RICH)

    assert seen.denial is not None
    assert seen.denial.reason is reason
    assert (seen.price, seen.notional, seen.takeable) == (None, None, 0)


def test_a_sell_below_a_market_that_pays_too_much_is_refused() -> None:
    draft = DraftOrder(Side.SELL, OrderType.LIMIT, Decimal(1_000_000), Decimal(1))

    seen = preview(draft, opposite=[(Decimal(2_000), Decimal(1_000_000))], terms=APPLE, means=RICH)

    assert seen.notional == 2_000_000_000
    assert seen.denial is not None
    assert seen.denial.reason is DenialReason.NOTIONAL_ABOVE_MAXIMUM
