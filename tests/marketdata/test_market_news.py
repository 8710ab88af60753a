"""Halts, resumptions, bands and the pace of the day's bar, without any socket."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from marketdata.domain.dialect import TradeWire, conditions, trade_fields
from marketdata.domain.joining import STORE_LAG, has_hole, joined
from marketdata.domain.market_news import (
    DayBarPace,
    PriceBand,
    StateChange,
    band_fields,
    status_fields,
)
from marketdata.domain.market_states import MarketState
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.models import Instrument
from marketdata.selectors import is_in_volatility_pause, price_bands
from tests.marketdata.data_api import market

__all__ = ["market"]

AT = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize("state", MarketState)
def test_every_state_has_words_in_the_dialect(state: MarketState) -> None:
    told = status_fields(state, AT, is_volatility_pause=False)

    assert told["state"] == state.value
    assert told["sc"] in {"T", "H", "P", "Q", "C"}
    assert all(isinstance(told[name], str) for name in ("sc", "sm", "rc", "rm", "z"))


def test_a_pause_by_volatility_says_why() -> None:
    told = status_fields(MarketState.AUCTION, AT, is_volatility_pause=True)

    assert (told["sc"], told["rc"]) == ("P", "LUDP")


def test_only_a_change_is_told() -> None:
    change = StateChange()
    states = [MarketState.OPEN, MarketState.OPEN, MarketState.HALTED, MarketState.OPEN]

    assert [change.take(state) for state in states] == [False, False, True, True]


def test_the_day_is_told_once_a_minute_and_at_its_end() -> None:
    pace = DayBarPace()
    moments = [0, 1, 59, 60, 61, 180, 181]

    told = [pace.is_due(AT + timedelta(seconds=s), is_closed=s == 181) for s in moments]

    assert told == [True, False, False, True, False, True, True]


@pytest.mark.parametrize(
    ("reference", "bps", "tick", "edges"),
    [
        ("100", 500, "0.01", ("95", "105")),
        ("100.01", 500, "0.01", ("95.01", "105.01")),
        ("0.03", 100, "0.01", ("0.03", "0.03")),
        ("64251", 1, "0.5", ("64245", "64257")),
        ("1", 9_999, "0.01", ("0.01", "1.99")),
    ],
)
def test_the_edges_of_a_band_lie_on_the_tick_inside_it(
    reference: str, bps: int, tick: str, edges: tuple[str, str]
) -> None:
    told = band_fields(PriceBand(Decimal(reference), bps, Decimal(tick), AT))

    assert (told["d"], told["u"]) == (Decimal(edges[0]), Decimal(edges[1]))


@pytest.mark.django_db
def test_bands_are_those_of_markets_that_have_one(market: dict[str, Instrument]) -> None:
    window = {"window_price": Decimal(100), "window_at": AT}
    Instrument.objects.filter(symbol="AAPL").update(volatility_bps=500, **window)
    Instrument.objects.filter(symbol="IBM").update(volatility_bps=0, **window)
    Instrument.objects.filter(symbol="BTC/USD").update(volatility_bps=500)

    assert price_bands(["AAPL", "IBM", "BTC/USD"]) == {
        "AAPL": PriceBand(Decimal(100), 500, Decimal("0.01"), AT)
    }
    assert not is_in_volatility_pause("AAPL")
    Instrument.objects.filter(symbol="AAPL").update(paused="AUCTION", paused_until=AT)
    assert is_in_volatility_pause("AAPL")


@pytest.mark.parametrize(
    ("flags", "letters"),
    [
        (TradeFlag.NONE, ["@"]),
        (TradeFlag.EXTENDED, ["T"]),
        (TradeFlag.EXTENDED | TradeFlag.LATE, ["T", "Z"]),
        (TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME, ["W", "M"]),
        (TradeFlag.CLOSING, ["6"]),
    ],
)
def test_what_sets_a_print_apart_has_a_letter(flags: TradeFlag, letters: list[str]) -> None:
    assert conditions(flags) == letters


def wire(second: int, number: int, price: str = "1") -> TradeWire:
    return TradeWire(
        id=number, price=Decimal(price), size=Decimal(1), side=None, t=AT + timedelta(0, second)
    )


def test_a_print_of_nobody_knows_whose_side_is_told_without_one() -> None:
    assert trade_fields(wire(0, 1), is_crypto=True)["tks"] == ""


def test_stored_and_cached_trades_are_one_line_without_doubles() -> None:
    stored = [wire(2, 9), wire(1, 1, "7")]
    recent = [wire(3, 2), wire(2, 10), wire(2, 9), wire(1, 1)]

    both = joined(stored, recent)

    assert [(trade.t, trade.id) for trade in both] == [
        (AT + timedelta(0, second), number) for second, number in ((1, 1), (2, 9), (2, 10), (3, 2))
    ]
    assert both[0].price == 7  # the store's


@pytest.mark.parametrize(
    ("behind", "hole"),
    [
        (timedelta(0), False),
        (-timedelta(seconds=1), False),
        (timedelta(microseconds=1), True),
        (STORE_LAG, True),
        (STORE_LAG + timedelta(microseconds=1), False),
    ],
)
def test_a_hole_is_a_store_that_is_on_its_way(behind: timedelta, hole: bool) -> None:
    assert has_hole(AT - behind, AT) is hole
    assert has_hole(None, AT) is False
