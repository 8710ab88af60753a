"""The prices of an order with exits on one scale: what each brings, and that each can be read."""

from decimal import Decimal
from itertools import pairwise

import pytest

from orders.domain.levels import (
    LABEL_GAP,
    MARKET,
    PADDING,
    Level,
    Position,
    draw,
    exit_level,
    reward_to_risk,
)
from orders.domain.order_class import Leg

TEN_BPS = 100_000


def level(kind: str, price: str, gain: str | None = None) -> Level:
    return Level(kind, Decimal(price), None if gain is None else Decimal(gain))


@pytest.mark.parametrize(
    ("quantity", "price", "gain"),
    [
        ("10", "110", "98.40"),
        ("10", "95", "-51.45"),
        ("-10", "95", "48.55"),
        ("-10", "110", "-101.6"),
    ],
)
def test_a_gain_is_after_the_fees_of_both_ways(quantity: str, price: str, gain: str) -> None:
    position = Position(Decimal(100), Decimal(quantity), fee=Decimal("0.5"))

    seen = exit_level(Leg.TAKE_PROFIT, Decimal(price), position, TEN_BPS)

    assert seen.gain == Decimal(gain)


def test_without_a_position_there_is_a_price_and_no_gain() -> None:
    assert exit_level(Leg.STOP_LOSS, Decimal(95), None, 0) == level("STOP_LOSS", "95")


@pytest.mark.parametrize(
    ("profit", "loss", "ratio"),
    [
        ("100", "-40", "2.5"),
        ("100", "-33", "3.0"),
        ("-1", "-40", None),
        ("100", "5", None),
        (None, "-40", None),
    ],
)
def test_reward_to_risk_needs_something_to_win_and_to_lose(
    profit: str | None, loss: str, ratio: str | None
) -> None:
    levels = [level("TAKE_PROFIT", "110", profit), level("STOP_LOSS", "95", loss)]

    assert reward_to_risk(levels) == (None if ratio is None else Decimal(ratio))


def test_prices_stand_from_the_highest_down_and_the_entry_bounds_both_zones() -> None:
    scale = draw(
        [
            level("STOP_LOSS", "90"),
            level("TAKE_PROFIT", "130"),
            level("ENTRY", "100"),
            level(MARKET, "110"),
        ]
    )

    assert scale is not None
    assert [item.level.kind for item in scale.levels] == [
        "TAKE_PROFIT",
        MARKET,
        "ENTRY",
        "STOP_LOSS",
    ]
    heights = [item.y for item in scale.levels]
    assert (heights[0], heights[-1]) == (PADDING, scale.height - PADDING)
    assert heights[2] - heights[0] == (scale.height - 2 * PADDING) * 3 // 4
    assert [(zone.kind, zone.y, zone.height) for zone in scale.zones] == [
        ("TAKE_PROFIT", heights[0], heights[2] - heights[0]),
        ("STOP_LOSS", heights[2], heights[3] - heights[2]),
    ]


@pytest.mark.parametrize(
    "prices", [["100", "100.01", "100.02", "200"], ["100", "199.98", "199.99", "200"]]
)
def test_labels_never_lie_on_one_another_and_stay_inside(prices: list[str]) -> None:
    scale = draw([level(f"L{price}", price) for price in prices])

    assert scale is not None
    labels = [item.label_y for item in scale.levels]
    assert all(low - high >= LABEL_GAP for high, low in pairwise(labels))
    assert labels[0] >= 0
    assert labels[-1] <= scale.height - PADDING


def test_one_price_alone_is_no_scale() -> None:
    assert draw([level("ENTRY", "100"), level(MARKET, "100")]) is None
    assert draw([]) is None
