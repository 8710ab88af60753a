"""Bars from trades: exact borders, which prints count, late trades, days of every kind of venue."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from core.domain.clock import to_ns
from marketdata.domain.bars import DAY_NS, LATE_NS, MINUTE_NS, Bar, BarBuilder, every, roll_up
from marketdata.domain.keeping import BarKeeper, DatedBar, ResumedBars
from marketdata.domain.sessions import Session
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.trading_days import CLOSING_PATIENCE_NS, SessionDays
from marketdata.domain.values import Aggressor, Trade

MIDNIGHT = 1_772_409_600 * SECOND
NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 3, 2)


def trade(at_ns: int, price: str, size: str = "1", flags: int = 0, start: int = MIDNIGHT) -> Trade:
    return Trade(
        "AAPL", 1, Decimal(price), Decimal(size), Aggressor.BUY, start + at_ns, flags=flags
    )


def bar(start_ns: int, ohlc: tuple[int, int, int, int], volume: int, count: int, vwap: str) -> Bar:
    opened, high, low, close = (Decimal(value) for value in ohlc)
    return Bar(
        "AAPL",
        MIDNIGHT + start_ns,
        opened,
        high,
        low,
        close,
        Decimal(volume),
        count,
        Decimal(vwap),
        is_closed=True,
    )


def add(minutes: BarBuilder, taken: Trade) -> tuple[Bar | None, Bar | None]:
    """What the trade closed and what it amended."""
    return minutes.close(taken.t_ns), minutes.add(taken, taken.t_ns)


def keeper(left: ResumedBars | None = None) -> BarKeeper:
    return BarKeeper({"AAPL": left or ResumedBars()})


def new_york() -> SessionDays:
    """Monday's session and Tuesday's, which ends early."""
    return SessionDays(
        [
            Session(MONDAY, local_ns(2, 9, 30), local_ns(2, 16)),
            Session(date(2026, 3, 3), local_ns(3, 9, 30), local_ns(3, 13)),
        ],
        "America/New_York",
    )


def local_ns(day: int, hour: int, minute: int = 0, second: int = 0) -> int:
    return to_ns(datetime(2026, 3, day, hour, minute, second, tzinfo=NEW_YORK))


def of(timeframe: str, finished: list[DatedBar]) -> list[Bar]:
    return [dated.bar for dated in finished if dated.timeframe == timeframe]


def test_trade_at_the_border_belongs_to_the_next_minute() -> None:
    minutes = BarBuilder("AAPL", every(MINUTE_NS))

    assert add(minutes, trade(0, "10")) == (None, None)
    assert add(minutes, trade(MINUTE_NS - 1, "12", "3")) == (None, None)
    closed, _ = add(minutes, trade(MINUTE_NS, "11"))

    assert closed == bar(0, (10, 12, 10, 12), 4, 2, "11.50000000")
    assert minutes.open_bar is not None
    assert minutes.open_bar.start_ns == MIDNIGHT + MINUTE_NS
    assert minutes.open_bar.is_closed is False


def test_minute_closes_by_the_clock_without_a_later_trade() -> None:
    minutes = BarBuilder("AAPL", every(MINUTE_NS))
    add(minutes, trade(5, "10"))

    assert minutes.close(MIDNIGHT + MINUTE_NS - 1) is None
    closed = minutes.close(MIDNIGHT + MINUTE_NS)

    assert closed is not None
    assert closed.is_closed is True
    assert minutes.open_bar is None
    assert minutes.close(MIDNIGHT + 2 * MINUTE_NS) is None


def test_minute_without_trades_makes_no_bar() -> None:
    minutes = BarBuilder("AAPL", every(MINUTE_NS))
    add(minutes, trade(0, "10"))

    closed, _ = add(minutes, trade(5 * MINUTE_NS, "11"))

    assert closed is not None
    assert closed.start_ns == MIDNIGHT
    assert minutes.open_bar is not None
    assert minutes.open_bar.start_ns == MIDNIGHT + 5 * MINUTE_NS


def test_seconds_minutes_and_the_day_are_drawn_from_the_same_trades() -> None:
    bars = keeper()
    bars.take(trade(0, "10"))
    bars.take(trade(SECOND, "12", "2"))

    finished = bars.take(trade(MINUTE_NS, "11")).finished

    assert [(dated.timeframe, dated.bar.start_ns - MIDNIGHT) for dated in finished] == [
        ("1Sec", SECOND),
        ("1Min", 0),
        ("1Day", 0),
    ]
    assert [dated.bar.volume for dated in finished] == [2, 3, 3]
    assert [dated.bar.is_closed for dated in finished] == [True, True, False]


def test_print_without_a_price_adds_its_volume_and_draws_nothing() -> None:
    bars = keeper()
    bars.take(trade(0, "10", "5"))
    bars.take(trade(1, "99", "7", TradeFlag.NO_PRICE))

    (minute,) = of("1Min", bars.close_until(MIDNIGHT + MINUTE_NS))

    assert (minute.high, minute.close, minute.volume, minute.trade_count) == (10, 10, 12, 2)
    assert minute.vwap == Decimal("61.91666667")


def test_print_that_counts_in_no_volume_leaves_it_alone() -> None:
    bars = keeper()
    bars.take(trade(0, "10", "5"))
    bars.take(trade(1, "11", "7", TradeFlag.NO_VOLUME))
    bars.take(trade(2, "99", "7", TradeFlag.NO_VOLUME | TradeFlag.NO_PRICE))

    (minute,) = of("1Min", bars.close_until(MIDNIGHT + MINUTE_NS))

    assert (minute.high, minute.close, minute.volume, minute.trade_count) == (11, 11, 5, 1)


def test_minute_of_prints_without_a_price_is_drawn_nowhere_but_counts_in_the_day() -> None:
    bars = keeper()
    bars.take(trade(0, "10", "5"))
    bars.close_until(MIDNIGHT + MINUTE_NS)
    bars.take(trade(MINUTE_NS, "99", "7", TradeFlag.NO_PRICE))

    assert of("1Min", bars.close_until(MIDNIGHT + 2 * MINUTE_NS)) == []
    (day,) = of("1Day", bars.close_until(MIDNIGHT + DAY_NS))
    assert (day.close, day.volume) == (10, 12)


def test_trade_that_is_a_little_late_amends_its_closed_minute() -> None:
    bars = keeper()
    bars.take(trade(10, "10"))
    bars.take(trade(MINUTE_NS, "11"))

    taken = bars.take(trade(MINUTE_NS - 1, "12", "2"))

    (minute,) = of("1Min", taken.finished)
    assert minute == replace(bar(0, (10, 12, 10, 12), 3, 2, "11.33333333"), is_amended=True)
    assert taken.is_late is False


def test_late_trade_is_the_open_of_its_minute_when_it_was_the_first() -> None:
    bars = keeper()
    bars.take(trade(0, "8", flags=TradeFlag.NO_PRICE))
    bars.take(trade(40 * SECOND, "10"))
    bars.take(trade(MINUTE_NS, "11"))

    (minute,) = of("1Min", bars.take(trade(35 * SECOND, "9")).finished)

    assert (minute.open, minute.low, minute.close) == (9, 9, 10)


def test_late_trade_leaves_the_open_minute_alone() -> None:
    bars = keeper()
    bars.take(trade(10, "10"))
    bars.take(trade(MINUTE_NS, "11"))
    bars.take(trade(MINUTE_NS - 1, "99"))

    open_minute, day = bars.open_bars()

    assert (open_minute.bar.high, open_minute.bar.trade_count) == (11, 1)
    assert (day.bar.high, day.bar.close, day.bar.trade_count) == (99, 11, 3)


def test_trade_that_is_too_late_is_told_so_and_drawn_nowhere() -> None:
    bars = keeper()
    bars.take(trade(0, "10"))
    bars.take(trade(MINUTE_NS, "11"))

    at_the_limit = bars.take(trade(MINUTE_NS - LATE_NS, "12"))
    too_late = bars.take(trade(MINUTE_NS - LATE_NS - 1, "99"))

    assert (at_the_limit.is_late, too_late.is_late) == (False, True)
    assert too_late.finished == []
    assert [dated.bar.high for dated in bars.open_bars()] == [11, 12]


def test_silence_makes_late_too() -> None:
    bars = keeper()
    bars.take(trade(0, "10"))
    bars.close_until(MIDNIGHT + 5 * MINUTE_NS)

    assert bars.take(trade(SECOND, "99")).is_late is True


def test_trade_from_before_this_run_amends_nothing() -> None:
    bars = keeper()
    bars.take(trade(MINUTE_NS, "11"))

    assert bars.take(trade(MINUTE_NS - 1, "10")).is_late is True


trades = st.lists(
    st.builds(
        trade,
        st.integers(0, 25).map(lambda seconds: seconds * SECOND),
        st.sampled_from(("9", "10", "11")),
        st.sampled_from(("1", "2")),
        st.sampled_from((0, 0, TradeFlag.NO_PRICE, TradeFlag.NO_VOLUME)),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda one: one.t_ns,
)


@given(trades, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_change_bars_within_the_patience(
    told: list[Trade], random: object
) -> None:
    def drawn(order: list[Trade]) -> dict[tuple[str, int], Bar]:
        bars = keeper()
        bars.take(trade(0, "10", flags=TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME))
        finished = [dated for one in order for dated in bars.take(one).finished]
        finished += bars.close_until(MIDNIGHT + DAY_NS)
        return {
            (dated.timeframe, dated.bar.start_ns): replace(dated.bar, is_amended=False)
            for dated in finished
            if dated.bar.is_closed
        }

    shuffled = told[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert drawn(shuffled) == drawn(sorted(told, key=lambda one: one.t_ns))


def test_open_minute_goes_on_after_a_restart() -> None:
    bars = keeper(ResumedBars(minute=bar(0, (10, 12, 9, 11), 4, 2, "11")))

    bars.take(trade(30 * SECOND, "13", "4"))
    (minute,) = of("1Min", bars.close_until(MIDNIGHT + MINUTE_NS))

    assert minute == bar(0, (10, 13, 9, 13), 8, 3, "12.00000000")


def test_day_goes_on_after_a_restart_with_the_minute_that_was_left() -> None:
    left = ResumedBars(
        day=bar(0, (10, 12, 9, 11), 4, 2, "10"), minute=bar(MINUTE_NS, (11, 15, 11, 15), 4, 2, "12")
    )
    bars = keeper(left)

    bars.take(trade(MINUTE_NS + SECOND, "13", "2"))

    assert [dated.bar.volume for dated in bars.open_bars()] == [6, 10]
    day = bars.open_bars()[1].bar
    assert (day.open, day.high, day.low, day.close) == (10, 15, 9, 13)


def test_several_bars_make_a_longer_one() -> None:
    day = roll_up(
        [
            bar(0, (10, 12, 9, 11), 4, 2, "10"),
            bar(MINUTE_NS, (11, 11, 8, 9), 12, 5, "9"),
        ],
        MIDNIGHT,
    )

    assert day is not None
    assert (day.open, day.high, day.low, day.close) == (10, 12, 8, 9)
    assert (day.volume, day.trade_count, day.vwap) == (16, 7, Decimal("9.25000000"))
    assert day.is_closed is False
    assert roll_up([], MIDNIGHT) is None


def test_day_of_a_venue_that_never_closes_ends_at_midnight_utc() -> None:
    bars = keeper()
    bars.take(trade(DAY_NS - 1, "10"))

    (first,) = of("1Day", bars.take(trade(DAY_NS, "20")).finished)
    second = bars.open_bars()[1].bar

    assert (first.start_ns, first.close, first.is_closed) == (MIDNIGHT, 10, True)
    assert (second.start_ns, second.open, second.trade_count) == (MIDNIGHT + DAY_NS, 20, 1)


def test_day_of_a_venue_with_hours_is_its_session_named_by_the_local_midnight() -> None:
    bars = keeper(ResumedBars(days=new_york()))
    for at_ns, price in (
        (local_ns(2, 9, 29, 59), "1"),
        (local_ns(2, 9, 30), "10"),
        (local_ns(2, 15, 59, 59), "12"),
    ):
        bars.take(trade(0, price, start=at_ns))

    finished = bars.take(trade(0, "99", start=local_ns(2, 16))).finished

    (day,) = of("1Day", finished)
    assert day.start_ns == to_ns(datetime(2026, 3, 2, 5, tzinfo=UTC))
    assert (day.open, day.high, day.low, day.close, day.volume) == (10, 12, 10, 12, 2)
    assert day.is_closed is True
    # The minutes outside of the session are drawn all the same.
    assert [dated.bar.start_ns for dated in bars.open_bars()] == [local_ns(2, 16)]


def test_day_that_ends_early_takes_nothing_after_its_end() -> None:
    bars = keeper(ResumedBars(days=new_york()))
    bars.take(trade(0, "10", start=local_ns(3, 12, 59)))

    (day,) = of("1Day", bars.close_until(local_ns(3, 13)))
    bars.take(trade(0, "99", start=local_ns(3, 13)))

    assert (day.high, day.is_closed) == (10, True)
    assert of("1Day", bars.open_bars()) == []


def test_closing_print_belongs_to_the_last_minute_and_the_day_of_its_session() -> None:
    bars = keeper(ResumedBars(days=new_york()))
    bars.take(trade(0, "10", start=local_ns(2, 15, 59)))
    bars.close_until(local_ns(2, 16))

    closing = trade(0, "11", "500", TradeFlag.CLOSING, start=local_ns(2, 16, 0, 8))
    finished = bars.take(closing).finished

    (minute,), (day,) = of("1Min", finished), of("1Day", finished)
    assert (minute.start_ns, minute.close, minute.volume) == (local_ns(2, 15, 59), 11, 501)
    assert (day.close, day.volume, day.is_amended) == (11, 501, True)
    assert bars.open_bars() == []


def test_closing_print_of_half_an_hour_later_is_still_in_its_minute_and_its_day() -> None:
    bars = keeper(ResumedBars(days=new_york()))
    bars.take(trade(0, "10", start=local_ns(2, 15, 59)))
    bars.close_until(local_ns(2, 16))

    at_ns = local_ns(2, 16) - 1 + CLOSING_PATIENCE_NS
    finished = bars.take(trade(0, "11", "500", TradeFlag.CLOSING, start=at_ns)).finished

    (minute,), (day,) = of("1Min", finished), of("1Day", finished)
    assert (minute.start_ns, minute.close, minute.volume) == (local_ns(2, 15, 59), 11, 501)
    assert (day.close, day.volume) == (11, 501)


def test_closing_print_after_half_an_hour_is_a_print_of_its_own_time() -> None:
    bars = keeper(ResumedBars(days=new_york()))
    bars.take(trade(0, "10", start=local_ns(2, 15, 59)))
    bars.close_until(local_ns(2, 16))

    at_ns = local_ns(2, 16) + CLOSING_PATIENCE_NS + 1
    finished = bars.take(trade(0, "11", "500", TradeFlag.CLOSING, start=at_ns)).finished

    assert [dated.timeframe for dated in finished if dated.bar.is_amended] == []
    assert [dated.bar.start_ns for dated in bars.open_bars()] == [local_ns(2, 16, 30)]


def test_minute_that_a_source_tells_whole_is_kept_and_grows_the_day() -> None:
    bars = keeper()
    first, second = bar(0, (10, 12, 9, 11), 4, 2, "10"), bar(MINUTE_NS, (11, 13, 8, 9), 6, 5, "9")

    bars.take_minute(first)
    finished = bars.take_minute(second)

    assert finished[0] == DatedBar("1Min", second)
    day = finished[1].bar
    assert (finished[1].timeframe, day.open, day.high, day.low, day.close, day.volume) == (
        "1Day",
        10,
        13,
        8,
        9,
        10,
    )


def test_closing_print_alone_begins_no_day() -> None:
    bars = keeper(ResumedBars(days=new_york()))

    closing = trade(0, "11", "500", TradeFlag.CLOSING, start=local_ns(2, 16, 5))

    assert bars.take(closing).finished == []
    assert bars.open_bars() == []
    assert bars.close_until(local_ns(2, 16, 6)) == []


def test_closing_print_after_a_restart_amends_the_day_that_was_stored() -> None:
    price = Decimal(10)
    stored = Bar(
        *("AAPL", local_ns(2, 9, 30), price, price, price, price, Decimal(900), 40, price),
        is_closed=True,
    )
    bars = keeper(ResumedBars(days=new_york(), ended_day=stored))
    assert bars.close_until(local_ns(2, 16, 4)) == []

    closing = trade(0, "11", "100", TradeFlag.CLOSING, start=local_ns(2, 16, 5))
    (day,) = of("1Day", bars.take(closing).finished)

    assert (day.start_ns, day.open, day.close) == (local_ns(2, 0), 10, 11)
    assert (day.volume, day.trade_count, day.is_amended) == (1000, 41, True)
