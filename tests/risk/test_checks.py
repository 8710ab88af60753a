"""Pre-trade checks at their bounds: the last value that passes and the first that does not."""

from decimal import Decimal

import pytest

from core.domain.units import UNITS_PER_ONE
from risk.domain import checks
from risk.domain.checks import InstrumentTerms
from risk.domain.limits import MAX_NOTIONAL_UNITS, MAX_OPEN_ORDERS_PER_ACCOUNT
from risk.domain.reasons import WORDINGS, Denial, DenialReason

TERMS = InstrumentTerms(
    symbol="BTC/USD",
    currency="USD",
    tick_units=UNITS_PER_ONE // 100,
    lot_units=UNITS_PER_ONE // 10_000,
    min_notional_units=UNITS_PER_ONE,
)


def reason(denial: Denial | None) -> str | None:
    return denial.reason.value if denial else None


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("0.0001", None),
        ("1", None),
        ("1.00000000", None),
        ("100000000", None),
        ("100000000.0001", "QUANTITY_OUT_OF_RANGE"),
        ("1E+20", "QUANTITY_OUT_OF_RANGE"),
        ("0", "QUANTITY_OUT_OF_RANGE"),
        ("-0", "QUANTITY_OUT_OF_RANGE"),
        ("-0.0001", "QUANTITY_OUT_OF_RANGE"),
        ("0.00005", "QUANTITY_OFF_LOT"),
        ("0.00010001", "QUANTITY_OFF_LOT"),
        ("0.000100001", "QUANTITY_OFF_LOT"),
        ("0.0001000000001", "QUANTITY_OFF_LOT"),
    ],
)
def test_quantity(quantity: str, expected: str | None) -> None:
    assert reason(checks.check_quantity(Decimal(quantity), TERMS)) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("0.01", None),
        ("64250.01", None),
        ("10000000", None),
        ("10000000.01", "PRICE_OUT_OF_RANGE"),
        ("0", "PRICE_OUT_OF_RANGE"),
        ("-0.01", "PRICE_OUT_OF_RANGE"),
        ("0.005", "PRICE_OFF_TICK"),
        ("0.010000001", "PRICE_OFF_TICK"),
        ("64250.011", "PRICE_OFF_TICK"),
    ],
)
def test_price(price: str, expected: str | None) -> None:
    assert reason(checks.check_price(Decimal(price), TERMS)) == expected


@pytest.mark.parametrize(
    ("notional", "expected"),
    [
        (UNITS_PER_ONE - 1, "NOTIONAL_BELOW_MINIMUM"),
        (UNITS_PER_ONE, None),
        (MAX_NOTIONAL_UNITS, None),
        (MAX_NOTIONAL_UNITS + 1, "NOTIONAL_ABOVE_MAXIMUM"),
    ],
)
def test_notional(notional: int, expected: str | None) -> None:
    assert reason(checks.check_notional(notional, TERMS)) == expected


def test_funds_that_are_exactly_enough_are_enough() -> None:
    assert checks.check_funds(10_050, 10_050, "USD") is None


def test_funds_one_unit_short() -> None:
    denial = checks.check_funds(10_050_000_000, 10_049_999_999, "USD")

    assert denial == Denial(
        DenialReason.FUNDS_INSUFFICIENT,
        {"required": "100.5", "available": "100.49999999", "currency": "USD"},
    )


@pytest.mark.parametrize(
    ("requested", "quantity", "locked", "expected"),
    [
        (5, 5, 0, None),
        (3, 5, 2, None),
        (4, 5, 2, "POSITION_INSUFFICIENT"),
        (1, 0, 0, "POSITION_INSUFFICIENT"),
        (1, 5, 5, "POSITION_INSUFFICIENT"),
    ],
)
def test_position(requested: int, quantity: int, locked: int, expected: str | None) -> None:
    assert reason(checks.check_position(requested, quantity, locked, "AAPL")) == expected


def test_position_that_is_short_has_nothing_to_sell() -> None:
    denial = checks.check_position(UNITS_PER_ONE, -5 * UNITS_PER_ONE, 0, "AAPL")

    assert denial is not None
    assert (denial.facts["available"], denial.facts["existing_qty"]) == ("0", "-5")


def test_what_is_short_of_a_pair_is_told_in_the_words_that_clients_look_for() -> None:
    """ccxt knows InsufficientFunds by them."""
    pair = checks.check_position(2 * UNITS_PER_ONE, UNITS_PER_ONE, 0, "BTC/USD")
    share = checks.check_position(2 * UNITS_PER_ONE, UNITS_PER_ONE, 0, "AAPL")

    assert pair is not None
    assert share is not None
    assert pair.sentence == (
        "insufficient balance for BTC (requested: 2, available: 1). Lower the quantity, or cancel"
        " orders that hold it."
    )
    assert share.sentence == "insufficient qty available for order (requested: 2, available: 1)"


@pytest.mark.parametrize(
    ("open_orders", "expected"),
    [
        (0, None),
        (MAX_OPEN_ORDERS_PER_ACCOUNT - 1, None),
        (MAX_OPEN_ORDERS_PER_ACCOUNT, "OPEN_ORDERS_EXCEEDED"),
    ],
)
def test_open_orders(open_orders: int, expected: str | None) -> None:
    assert reason(checks.check_open_orders(open_orders)) == expected


@pytest.mark.parametrize("reason_code", DenialReason)
def test_every_reason_has_its_status_code_and_sentence(reason_code: DenialReason) -> None:
    wording = WORDINGS[reason_code]

    assert wording.status in {403, 404, 409, 422, 429}
    assert wording.code // 100_000 == wording.status
    assert wording.sentence
