"""The simulated market: repeatable, on the grid, sane for days."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from marketdata.domain import simulator
from marketdata.domain.simulator import (
    DAY_NS,
    InstrumentMarket,
    Profile,
    SimulatedMarket,
    first_trade_id,
)
from marketdata.domain.values import DEPTH_LEVELS, Aggressor, Grid, Quote, Tick, Trade

START_NS = 1_772_409_600 * SECOND
APPLE = Grid("AAPL", Decimal("0.01"), Decimal(1))
BITCOIN = Grid("BTC/USD", Decimal("0.01"), Decimal("0.0001"), is_crypto=True)


def market_of(
    *grids_and_prices: tuple[Grid, Decimal], seed: str = "1", start_ns: int = START_NS
) -> SimulatedMarket:
    return SimulatedMarket(
        [
            InstrumentMarket(
                Profile.of(grid, price),
                seed=seed,
                start_ns=start_ns,
                start_price=price,
                first_trade_id=first_trade_id(start_ns),
            )
            for grid, price in grids_and_prices
        ]
    )


def run(market: SimulatedMarket, seconds: int, step_ns: int = SECOND) -> list[Tick]:
    ticks: list[Tick] = []
    for now_ns in range(START_NS, START_NS + seconds * SECOND + 1, step_ns):
        ticks += market.advance(now_ns)
    return ticks


def test_same_seed_gives_the_same_market_whatever_the_steps() -> None:
    coarse = run(market_of((APPLE, Decimal("430.47")), (BITCOIN, Decimal(64_250))), 60)
    fine = run(market_of((APPLE, Decimal("430.47")), (BITCOIN, Decimal(64_250))), 60, SECOND // 50)

    assert coarse == fine


def test_first_quote_of_a_seed_is_known() -> None:
    quote = market_of((APPLE, Decimal("430.47"))).advance(START_NS)[0]

    assert isinstance(quote, Quote)
    assert (quote.bids[0].price, quote.asks[0].price) == (Decimal("430.46"), Decimal("430.48"))
    assert quote.t_ns == START_NS


def test_other_seed_gives_another_market() -> None:
    prices = Decimal("430.47")

    assert run(market_of((APPLE, prices)), 10) != run(market_of((APPLE, prices), seed="2"), 10)


def test_market_is_lively() -> None:
    ticks = run(market_of((APPLE, Decimal("430.47"))), 600)

    quotes = sum(isinstance(tick, Quote) for tick in ticks)
    trades = sum(isinstance(tick, Trade) for tick in ticks)
    assert 4 <= quotes / 600 <= 10
    assert 1 <= trades / 600 <= 2


@settings(max_examples=60)
@given(
    seed=st.text(max_size=8),
    tick=st.sampled_from(["0.01", "0.0001", "0.5", "1"]),
    lot=st.sampled_from(["1", "0.001", "0.0001", "100"]),
    ticks=st.integers(200, 10_000_000),
    is_crypto=st.booleans(),
)
def test_every_tick_is_on_the_grid_and_agrees_with_the_quote_before(
    seed: str, tick: str, lot: str, ticks: int, is_crypto: bool
) -> None:
    grid = Grid("X", Decimal(tick), Decimal(lot), is_crypto)
    events = run(market_of((grid, ticks * grid.tick_size), seed=seed), 8)

    last: Quote | None = None
    for event in events:
        if isinstance(event, Quote):
            check_quote(event, grid)
            last = event
        else:
            assert last is not None
            check_trade(event, last, grid)
    assert [e.t_ns for e in events] == sorted(e.t_ns for e in events)


def check_quote(quote: Quote, grid: Grid) -> None:
    bids = [level.price for level in quote.bids]
    asks = [level.price for level in quote.asks]
    assert len(bids) == len(asks) == DEPTH_LEVELS
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert bids[-1] > 0
    assert bids[0] < asks[0]
    for level in (*quote.bids, *quote.asks):
        assert level.price % grid.tick_size == 0
        assert level.size % grid.lot_size == 0
        assert level.size > 0


def check_trade(trade: Trade, quote: Quote, grid: Grid) -> None:
    passive = quote.asks if trade.side is Aggressor.BUY else quote.bids
    # Two trades may follow within the millisecond before the next quote: then at the next level.
    displayed = dict(passive[:3])
    assert trade.price in displayed
    assert 0 < trade.size <= displayed[trade.price]
    assert trade.size % grid.lot_size == 0


def test_trade_numbers_rise_over_restarts() -> None:
    before = run(market_of((APPLE, Decimal("430.47"))), 60)
    later = START_NS + 60 * SECOND
    after = market_of((APPLE, Decimal("430.47")), start_ns=later).advance(later + 4 * SECOND)

    numbers = [tick.trade_id for tick in (*before, *after) if isinstance(tick, Trade)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < 2**53


def test_three_weeks_move_but_stay_near_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    # One quote in ten minutes: the walk's step grows with the time between events.
    monkeypatch.setattr(simulator, "QUOTES_PER_SECOND", 1 / 600)
    monkeypatch.setattr(simulator, "TRADES_PER_SECOND", 1 / 6_000)
    monkeypatch.setattr(simulator, "LONGEST_PAUSE_NS", DAY_NS)
    market = market_of((Grid("X", Decimal("0.01"), Decimal(1)), Decimal(100)), seed="7")

    ticks = market.advance(START_NS) + market.advance(START_NS + DAY_NS - 1)
    for day in range(1, 22):
        ticks += market.advance(START_NS + day * DAY_NS)

    bids = [tick.bids[0].price for tick in ticks if isinstance(tick, Quote)]
    assert len(bids) > 2_000
    assert Decimal(80) < min(bids) < Decimal(98)
    assert Decimal(102) < max(bids) < Decimal(125)


def test_paused_machine_does_not_invent_the_missed_hours() -> None:
    market = market_of((APPLE, Decimal("430.47")))
    market.advance(START_NS + SECOND)

    ticks = market.advance(START_NS + 3_600 * SECOND)

    assert {tick.t_ns for tick in ticks} == {START_NS + 3_600 * SECOND}
    assert len(ticks) == 1
