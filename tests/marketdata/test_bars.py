"""Bars from trades: exact borders, closed bars that stay, days made of minutes."""

from decimal import Decimal

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from marketdata.domain.bars import DAY_NS, MINUTE_NS, Bar, MinuteBars, roll_up
from marketdata.domain.keeping import BarKeeper, ResumedBars
from marketdata.domain.values import Aggressor, Trade

MIDNIGHT = 1_772_409_600 * SECOND


def trade(at_ns: int, price: str, size: str = "1") -> Trade:
    return Trade("AAPL", 1, Decimal(price), Decimal(size), Aggressor.BUY, MIDNIGHT + at_ns)


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


def test_trade_at_the_border_belongs_to_the_next_minute() -> None:
    minutes = MinuteBars("AAPL")

    assert minutes.add(trade(0, "10")) is None
    assert minutes.add(trade(MINUTE_NS - 1, "12", "3")) is None
    closed = minutes.add(trade(MINUTE_NS, "11"))

    assert closed == bar(0, (10, 12, 10, 12), 4, 2, "11.50000000")
    assert minutes.open_bar is not None
    assert minutes.open_bar.start_ns == MIDNIGHT + MINUTE_NS
    assert minutes.open_bar.is_closed is False


def test_minute_closes_by_the_clock_without_a_later_trade() -> None:
    minutes = MinuteBars("AAPL")
    minutes.add(trade(5, "10"))

    assert minutes.close(MIDNIGHT + MINUTE_NS - 1) is None
    closed = minutes.close(MIDNIGHT + MINUTE_NS)

    assert closed is not None
    assert closed.is_closed is True
    assert minutes.open_bar is None
    assert minutes.close(MIDNIGHT + 2 * MINUTE_NS) is None


def test_minute_without_trades_makes_no_bar() -> None:
    minutes = MinuteBars("AAPL")
    minutes.add(trade(0, "10"))

    closed = minutes.add(trade(5 * MINUTE_NS, "11"))

    assert closed is not None
    assert closed.start_ns == MIDNIGHT
    assert minutes.open_bar is not None
    assert minutes.open_bar.start_ns == MIDNIGHT + 5 * MINUTE_NS


def test_late_trade_is_counted_and_changes_nothing() -> None:
    minutes = MinuteBars("AAPL")
    minutes.add(trade(0, "10"))
    minutes.close(MIDNIGHT + MINUTE_NS)

    assert minutes.add(trade(MINUTE_NS - 1, "99")) is None

    assert minutes.late_trades == 1
    assert minutes.open_bar is None


def test_late_trade_leaves_the_open_minute_alone() -> None:
    minutes = MinuteBars("AAPL")
    minutes.add(trade(MINUTE_NS, "10"))

    minutes.add(trade(MINUTE_NS - 1, "99"))

    assert minutes.late_trades == 1
    assert minutes.open_bar is not None
    assert minutes.open_bar.high == Decimal(10)


def test_open_minute_goes_on_after_a_restart() -> None:
    left = bar(0, (10, 12, 9, 11), 4, 2, "11")
    minutes = MinuteBars("AAPL", resumed=left)

    minutes.add(trade(30 * SECOND, "13", "4"))
    closed = minutes.close(MIDNIGHT + MINUTE_NS)

    assert closed == bar(0, (10, 13, 9, 13), 8, 3, "12.00000000")


def test_day_is_made_of_its_minutes() -> None:
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


def test_day_ends_at_midnight_utc() -> None:
    keeper = BarKeeper({"AAPL": ResumedBars()})
    keeper.take(trade(DAY_NS - 1, "10"))

    keeper.take(trade(DAY_NS, "20"))
    keeper.close_minutes(MIDNIGHT + DAY_NS + MINUTE_NS)

    day = keeper.day("AAPL")
    assert day is not None
    assert (day.start_ns, day.open, day.trade_count) == (MIDNIGHT + DAY_NS, Decimal(20), 1)


def test_closed_minute_is_stored_with_the_day_so_far() -> None:
    keeper = BarKeeper({"AAPL": ResumedBars(day=bar(0, (10, 12, 9, 11), 4, 2, "10"))})
    keeper.take(trade(MINUTE_NS, "13"))

    rows = keeper.to_store(keeper.close_minutes(MIDNIGHT + 2 * MINUTE_NS))

    assert [(row.timeframe, row.bar.close, row.bar.volume) for row in rows] == [
        ("1Min", Decimal(13), Decimal(1)),
        ("1Day", Decimal(13), Decimal(5)),
    ]


def test_open_minute_is_stored_once_when_the_feed_stops() -> None:
    keeper = BarKeeper({"AAPL": ResumedBars(day=bar(0, (10, 12, 9, 11), 4, 2, "10"))})
    keeper.take(trade(MINUTE_NS, "13"))

    rows = keeper.to_store(keeper.open_minutes())

    assert [(row.timeframe, row.bar.volume) for row in rows] == [("1Min", 1), ("1Day", 5)]
    assert keeper.day("AAPL") == bar(0, (10, 12, 9, 11), 4, 2, "10")
