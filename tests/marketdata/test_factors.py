"""Splits and dividends: which there were, and what past prices become."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from marketdata.domain.bar_view import BarView
from marketdata.domain.factors import (
    Action,
    ActionKind,
    Adjustment,
    Factor,
    NameSpan,
    actions_of,
    adjust,
    parse_factors,
    parse_map,
    spans_of,
)
from tests.marketdata.lean_files import real_folder

D = Decimal
NEW_YORK = "America/New_York"
FACTORS = [
    Factor(date(2014, 1, 2), D("0.96"), D("0.125")),
    Factor(date(2014, 6, 6), D("0.96"), D("0.125"), D("650")),  # 4 for 1 on the next day
    Factor(date(2014, 8, 6), D("0.96"), D("0.5"), D("100")),  # 4 dollars a share
    Factor(date(2014, 9, 5), D("1"), D("0.5"), D("101")),  # 2 for 1
    Factor(date(2050, 12, 31), D("1"), D("1")),
]


def day_bar(day: datetime, price: str = "640") -> BarView:
    value = D(price)
    return BarView(day, value, value + 8, value - 8, value, D(1000), 5, value)


def test_factor_holds_until_its_day_and_the_next_after_it() -> None:
    days = [
        datetime(2014, 6, 6, 4, tzinfo=UTC),  # midnight in New York
        datetime(2014, 6, 9, 4, tzinfo=UTC),
        datetime(2014, 8, 7, 4, tzinfo=UTC),
        datetime(2014, 9, 8, 4, tzinfo=UTC),
    ]

    bars = adjust([day_bar(day) for day in days], FACTORS, Adjustment.ALL, NEW_YORK)

    assert [bar.close for bar in bars] == [D("76.8"), D("307.2"), D("320"), D("640")]
    assert [bar.volume for bar in bars] == [8000, 2000, 2000, 1000]
    assert bars[0] == BarView(
        days[0], D("76.8"), D("77.76"), D("75.84"), D("76.8"), D(8000), 5, D("76.8")
    )


@pytest.mark.parametrize(
    ("mode", "close", "volume"),
    [
        (Adjustment.RAW, "640", 1000),
        (Adjustment.SPLIT, "80", 8000),
        (Adjustment.DIVIDEND, "614.4", 1000),
        (Adjustment.ALL, "76.8", 8000),
    ],
)
def test_only_what_is_chosen_is_taken_out(mode: Adjustment, close: str, volume: int) -> None:
    (bar,) = adjust([day_bar(datetime(2014, 6, 6, 4, tzinfo=UTC))], FACTORS, mode, NEW_YORK)

    assert (bar.close, bar.volume) == (D(close), volume)


def test_day_of_a_bar_is_told_in_the_venues_zone() -> None:
    evening = datetime(2014, 6, 7, 3, 59, tzinfo=UTC)  # 23:59 of the 6th in New York

    here, utc = (
        adjust([day_bar(evening)], FACTORS, Adjustment.SPLIT, zone)[0].close
        for zone in (NEW_YORK, "UTC")
    )

    assert (here, utc) == (D(80), D(320))


def test_adjusted_values_are_rounded_half_up_to_what_is_stored() -> None:
    factors = [Factor(date(2014, 6, 6), D("1"), D("0.3333333333"))]

    (bar,) = adjust(
        [day_bar(datetime(2014, 6, 6, tzinfo=UTC), "10.15")], factors, Adjustment.SPLIT, "UTC"
    )

    assert bar.close == D("3.38333333")
    assert bar.volume == D("3000.00000030")
    (half,) = adjust(
        [day_bar(datetime(2014, 6, 6, tzinfo=UTC), "8.00000001")],
        [Factor(date(2014, 6, 6), D("1"), D("0.5"))],
        Adjustment.SPLIT,
        "UTC",
    )
    assert half.close == D("4.00000001")


def test_steps_between_factors_are_the_corporate_actions() -> None:
    assert actions_of(FACTORS) == [
        Action(ActionKind.SPLIT, date(2014, 6, 6), D(4)),
        Action(ActionKind.DIVIDEND, date(2014, 8, 6), D("4.0000")),
        Action(ActionKind.SPLIT, date(2014, 9, 5), D(2)),
    ]


def test_reverse_split_is_less_than_one() -> None:
    factors = [Factor(date(2009, 6, 30), D(1), D(20)), Factor(date(2050, 12, 31), D(1), D(1))]

    assert actions_of(factors) == [Action(ActionKind.SPLIT, date(2009, 6, 30), D("0.05"))]


def test_instrument_without_factors_stays_as_it_is() -> None:
    bar = day_bar(datetime(2014, 6, 6, tzinfo=UTC))

    assert adjust([bar], [], Adjustment.ALL, "UTC") == [bar]
    assert spans_of(FACTORS, Adjustment.RAW) == []
    assert actions_of([]) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("20140606,0.9,0.25", "line 2 is no factor"),
        ("20140606,x,0.25,1", "line 2 is no factor"),
        ("2014-06-06,0.9,0.25,1", "line 2 is no factor"),
        ("20140606,0,0.25,1", "line 2 has a factor that is not positive"),
    ],
)
def test_line_that_is_no_factor_is_named(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_factors(f"19980102,0.86,0.01,1\n{line}\n")


def test_map_file_tells_former_names() -> None:
    assert parse_map("19990310,qqq,Q\n20110322,qqqq,Q\n20501231,qqq,Q\n") == [
        NameSpan(date(1999, 3, 10), "QQQ", "Q"),
        NameSpan(date(2011, 3, 22), "QQQQ", "Q"),
        NameSpan(date(2050, 12, 31), "QQQ", "Q"),
    ]


def test_real_file_tells_of_seven_for_one_and_of_dividends() -> None:
    factors = parse_factors((real_folder() / "factor_files" / "aapl.csv").read_text())

    actions = actions_of(factors)

    splits = [(action.day, action.value) for action in actions if action.kind == "SPLIT"]
    assert splits == [
        (date(2000, 6, 20), D(2)),
        (date(2005, 2, 25), D(2)),
        (date(2014, 6, 6), D(7)),
        (date(2020, 8, 28), D(4)),
    ]
    dividends = {action.day: action.value for action in actions if action.kind == "DIVIDEND"}
    assert len(dividends) == 35
    assert dividends[date(2012, 8, 8)] == D("2.6499")  # 2.65 dollars; the factors have seven digits
    assert dividends[date(2013, 5, 8)] == D("3.0500")
