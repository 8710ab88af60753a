"""Every rule that a tick may meet, what it does, and that the documents say so."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from marketdata.domain.tick_checks import RULES, Effect, Rule, TickChecks
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import Aggressor, Level, Quote, Tick, Trade

NOW_NS = 1_772_409_600 * SECOND
DOCS = Path(__file__).parents[2] / "docs" / "feeds.md"


def quote(bid: str, ask: str, at_ns: int = 0, size: str = "5") -> Quote:
    bids = (Level(Decimal(bid), Decimal(size)),)
    asks = (Level(Decimal(ask), Decimal(size)),)
    return Quote("AAPL", bids, asks, NOW_NS + at_ns)


def trade(price: str, number: int, at_ns: int = 0, size: str = "1", flags: int = 0) -> Trade:
    return Trade(
        "AAPL", number, Decimal(price), Decimal(size), Aggressor.BUY, NOW_NS + at_ns, flags=flags
    )


def check(checks: TickChecks, *ticks: Tick) -> list[Tick]:
    """What goes on of `ticks`; our clock stands at NOW_NS + 1 h."""
    return [passed for tick in ticks for passed in checks.check(tick, NOW_NS + 3600 * SECOND)]


def test_sound_ticks_go_on_as_they_came() -> None:
    checks = TickChecks()
    ticks = [quote("10", "10.01"), trade("10.01", 1, 1), quote("10.01", "10.01", 2)]

    assert check(checks, *ticks) == ticks
    assert checks.counts == {}


def test_tick_from_the_future_is_refused() -> None:
    checks = TickChecks()
    late, early = quote("10", "11", 5 * SECOND), quote("10", "11", 5 * SECOND + 1)

    assert checks.check(late, NOW_NS) == (late,)
    assert checks.check(early, NOW_NS) == ()
    assert checks.counts == {Rule.FUTURE: 1}


def test_price_or_size_of_zero_or_below_is_refused() -> None:
    checks = TickChecks()
    bad: list[Tick] = [
        quote("0", "11"),
        quote("-1", "11"),
        quote("10", "11", size="0"),
        trade("0", 1),
        trade("-10", 2),
        trade("10", 3, size="0"),
        trade("10", 4, size="-1"),
    ]

    assert check(checks, *bad) == []
    assert checks.refused == {"NOT_POSITIVE": 7}


def test_quote_with_an_empty_side_goes_on() -> None:
    checks = TickChecks()
    one_sided = replace(quote("10", "11"), asks=())
    empty = replace(quote("10", "11", 1), bids=(), asks=())

    assert check(checks, one_sided, empty) == [one_sided, empty]


def test_crossed_quote_is_refused_and_a_locked_one_is_not() -> None:
    checks = TickChecks()
    locked = quote("10", "10", 1)

    assert check(checks, quote("10.01", "10"), locked) == [locked]
    assert checks.counts == {Rule.CROSSED: 1}


def test_trade_of_a_known_number_is_refused_once_more() -> None:
    checks = TickChecks()
    first = trade("10", 7)

    assert check(checks, first, trade("10", 7, 5), trade("12", 7)) == [first]
    assert checks.counts == {Rule.DUPLICATE: 2}


def test_same_quote_of_the_same_time_is_refused_but_not_one_of_a_later_time() -> None:
    checks = TickChecks()
    first, again, later = quote("10", "11"), quote("10", "11"), quote("10", "11", 1)

    assert check(checks, first, again, later) == [first, later]
    assert checks.counts == {Rule.DUPLICATE: 1}


def test_quote_older_than_the_newest_is_refused() -> None:
    checks = TickChecks()
    newest = quote("10", "11", 10)

    assert check(checks, newest, quote("10", "12", 9)) == [newest]
    assert checks.counts == {Rule.OLD_QUOTE: 1}


def test_trade_older_than_the_newest_goes_on_and_is_counted() -> None:
    checks = TickChecks()
    ticks = [trade("10", 1, 10), trade("10", 2, 9)]

    assert check(checks, *ticks) == ticks
    assert checks.counts == {Rule.OLD_TRADE: 1}
    assert checks.refused == {}


def test_price_a_hundred_times_too_high_is_held_back_and_forgotten() -> None:
    checks = TickChecks()
    before, after = trade("10", 1), trade("10.1", 3, 2)

    assert check(checks, before, trade("1000", 2, 1), after) == [before, after]
    assert checks.counts == {Rule.SPIKE: 1}


def test_price_a_hundredth_of_the_last_is_held_back_too() -> None:
    checks = TickChecks()
    before = quote("10", "10.02")

    assert check(checks, before, quote("0.10", "0.11", 1)) == [before]
    assert checks.counts == {Rule.SPIKE: 1}


def test_second_tick_near_it_confirms_a_price_and_both_go_on() -> None:
    checks = TickChecks()
    ticks = [trade("70", 1), trade("10", 2, 1), quote("10.4", "10.6", 2), trade("10.2", 3, 3)]

    assert check(checks, *ticks) == ticks
    assert checks.counts == {Rule.SPIKE: 1, Rule.SPIKE_CONFIRMED: 1}


def test_tick_of_the_same_moment_confirms_nothing() -> None:
    checks = TickChecks()
    before = trade("70", 1)

    assert check(checks, before, trade("10", 2, 1), trade("10", 3, 1)) == [before]
    assert checks.counts == {Rule.SPIKE: 2}


def test_two_wild_prices_far_from_each_other_confirm_nothing() -> None:
    checks = TickChecks()
    before = trade("10", 1)

    assert check(checks, before, trade("1000", 2, 1), trade("5000", 3, 2)) == [before]
    assert checks.counts == {Rule.SPIKE: 2}


def test_price_after_more_than_a_minute_of_silence_is_no_spike() -> None:
    checks = TickChecks()
    ticks = [trade("10", 1), trade("100", 2, 60 * SECOND + 1)]

    assert check(checks, *ticks) == ticks


def test_print_that_moves_no_price_is_no_spike() -> None:
    checks = TickChecks()
    odd = trade("1000", 2, 1, flags=TradeFlag.NO_PRICE)
    ticks = [trade("10", 1), odd, trade("10.1", 3, 2)]

    assert check(checks, *ticks) == ticks


def test_jump_of_consecutive_numbers_is_a_gap_of_what_is_missing() -> None:
    checks = TickChecks(has_consecutive_ids=True)
    ticks = [trade("10", 5), trade("10", 6, 1), trade("10", 10, 2)]

    assert check(checks, *ticks) == ticks
    assert checks.counts == {Rule.GAP: 3}


def test_numbers_may_jump_after_the_source_was_away() -> None:
    checks = TickChecks(has_consecutive_ids=True)
    check(checks, trade("10", 5))
    checks.start_anew()

    assert len(check(checks, trade("10", 90, 1))) == 1
    assert checks.counts == {}


def test_instruments_are_judged_apart() -> None:
    checks = TickChecks()
    other = Trade("IBM", 1, Decimal(1000), Decimal(1), None, NOW_NS)

    assert check(checks, trade("10", 1), other) == [trade("10", 1), other]


prices = st.sampled_from(("-1", "0", "0.1", "9.9", "10", "10.1", "11", "1000", "1050"))
trades = st.builds(
    trade, prices, st.integers(1, 12), st.integers(0, 8), st.sampled_from(("-1", "0", "1"))
)
quotes = st.builds(quote, prices, prices, st.integers(0, 8))


@given(st.lists(st.one_of(trades, quotes), max_size=60))
def test_whatever_goes_on_is_sound_and_whatever_does_not_is_counted(ticks: list[Tick]) -> None:
    checks = TickChecks()
    passed = check(checks, *ticks)

    kept = sum(checks.refused.values()) - checks.counts[Rule.SPIKE_CONFIRMED]
    assert len(passed) + kept == len(ticks)
    assert all(tick in ticks for tick in passed)
    numbers = [tick.trade_id for tick in passed if isinstance(tick, Trade)]
    assert len(numbers) == len(set(numbers))
    told = [tick for tick in passed if isinstance(tick, Quote)]
    assert all(tick.bids[0].price <= tick.asks[0].price for tick in told)
    assert all(level.price > 0 for tick in told for level in (*tick.bids, *tick.asks))
    # One that was held goes on when it is confirmed, before the one that confirms it.
    assert all(one.t_ns <= next_one.t_ns for one, next_one in pairwise(told))


@given(st.lists(st.one_of(trades, quotes), max_size=60))
def test_same_ticks_get_the_same_verdicts(ticks: list[Tick]) -> None:
    assert check(TickChecks(), *ticks) == check(TickChecks(), *ticks)


def test_the_documents_name_every_rule_with_its_effect_and_sentence() -> None:
    text = DOCS.read_text(encoding="utf-8")

    for rule, (effect, sentence) in RULES.items():
        assert f"| `{rule}` | {effect.lower()} | {sentence} |" in text
    assert set(RULES) == set(Rule)
    assert {wording.effect for wording in RULES.values()} == set(Effect)
