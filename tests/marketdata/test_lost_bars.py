"""What a feed process finds after one that was killed: bars drawn again from the stored trades."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.domain.clock import to_ns
from marketdata.domain.bars import SECOND_NS
from marketdata.domain.e8 import to_e8
from marketdata.domain.keeping import DAY, MINUTE, BarKeeper, DatedBar, ResumedBars
from marketdata.domain.stored import TradeRow
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.trading_days import UtcDays
from marketdata.domain.values import Trade
from marketdata.models import Bar, Feed, Instrument, SecondBar
from marketdata.services import resumed_bars, save_feed_bars, save_trades

pytestmark = pytest.mark.django_db
OPENED = to_ns(datetime(2026, 3, 2, 15, 30, tzinfo=UTC))


def at(second: float) -> int:
    return OPENED + round(second * SECOND_NS)


def prints(until: int) -> list[Trade]:
    """One a second from 15:30:00 on, of another price and size each."""
    return [
        Trade("AAPL", number, Decimal(100 + number % 7), Decimal(1 + number), None, at(number))
        for number in range(until)
    ]


class Life:
    """One run of a feed: it draws trades, stores them, and its minutes as they end."""

    def __init__(self, instrument: Instrument, left: ResumedBars | None = None) -> None:
        self.feed, _ = Feed.objects.get_or_create(name="hand", adapter="simulated")
        self.instrument = instrument
        self.keeper = BarKeeper({"AAPL": left or ResumedBars()})
        self.late = 0

    def take(self, *trades: Trade) -> None:
        rows = []
        for trade in trades:
            taken = self.keeper.take(trade)
            self.late += taken.is_late
            save_feed_bars([bar for bar in taken.finished if bar.timeframe in {MINUTE, DAY}])
            flags = trade.flags | (TradeFlag.LATE if taken.is_late else 0)
            rows.append(
                TradeRow(
                    self.instrument.pk,
                    trade.t_ns,
                    trade.trade_id,
                    to_e8(trade.price),
                    to_e8(trade.size),
                    side=0,
                    feed_id=self.feed.pk,
                    flags=int(flags),
                )
            )
        save_trades(rows)

    def open_bars(self) -> list[DatedBar]:
        return self.keeper.open_bars()


def resume(now_ns: int) -> ResumedBars:
    return resumed_bars({"AAPL": UtcDays()}, now_ns)["AAPL"]


def test_killed_feed_goes_on_with_its_open_minute_and_day(
    instruments: dict[str, Instrument],
) -> None:
    before, unbroken = Life(instruments["AAPL"]), BarKeeper({"AAPL": ResumedBars()})
    before.take(*prints(150))

    after = Life(instruments["AAPL"], resume(at(152)))
    for trade in prints(170):
        unbroken.take(trade)
    after.take(*prints(170)[150:])

    assert after.open_bars() == unbroken.open_bars()
    assert [bar.bar.trade_count for bar in after.open_bars()] == [50, 170]


def test_minute_of_a_quiet_market_is_found_however_long_after_the_one_before(
    instruments: dict[str, Instrument],
) -> None:
    life = Life(instruments["AAPL"])
    life.take(*prints(1))
    life.take(Trade("AAPL", 90, Decimal(101), Decimal(5), None, at(3605)))
    life.take(Trade("AAPL", 91, Decimal(102), Decimal(6), None, at(3606)))

    left = resume(at(3610))

    assert left.minute is not None
    assert (left.minute.start_ns, left.minute.volume) == (at(3600), 11)
    assert left.day is not None
    assert left.day.trade_count == 1


def test_minute_that_ended_while_nobody_ran_is_stored_with_its_seconds(
    instruments: dict[str, Instrument],
) -> None:
    Life(instruments["AAPL"]).take(*prints(110))
    assert Bar.objects.filter(timeframe="1Min").count() == 1

    left = resume(at(185))

    lost = Bar.objects.get(timeframe="1Min", start=datetime(2026, 3, 2, 15, 31, tzinfo=UTC))
    assert (lost.trade_count, lost.source) == (50, "hand")
    assert (lost.open, lost.close) == (Decimal(100 + 60 % 7), Decimal(100 + 109 % 7))
    assert SecondBar.objects.count() == 110
    assert left.minute is None
    assert left.day is not None
    assert left.day.trade_count == 110


def test_trade_that_is_told_again_after_the_start_is_not_drawn_twice(
    instruments: dict[str, Instrument],
) -> None:
    Life(instruments["AAPL"]).take(*prints(90))

    after = Life(instruments["AAPL"], resume(at(90)))
    after.take(*prints(91)[80:])

    assert after.late == 10
    assert [bar.bar.trade_count for bar in after.open_bars()] == [31, 91]


def test_what_moved_no_price_and_what_came_too_late_moves_none_again(
    instruments: dict[str, Instrument],
) -> None:
    life = Life(instruments["AAPL"])
    life.take(*prints(10))
    odd = Trade("AAPL", 90, Decimal(1), Decimal(5), None, at(11), flags=int(TradeFlag.NO_PRICE))
    late = Trade("AAPL", 91, Decimal(1), Decimal(5), None, at(-40))
    life.take(odd, late)

    minute = resume(at(15)).minute

    assert life.late == 1
    assert minute is not None
    assert (minute.low, minute.trade_count) == (100, 11)


def test_bars_that_were_stored_whole_are_left_as_they_are(
    instruments: dict[str, Instrument],
) -> None:
    life = Life(instruments["AAPL"])
    life.take(*prints(70))
    save_feed_bars([bar for bar in life.open_bars() if bar.timeframe == MINUTE])
    Bar.objects.filter(timeframe="1Min").update(source="kept")

    left = resume(at(75))

    assert set(Bar.objects.filter(timeframe="1Min").values_list("source", flat=True)) == {"kept"}
    assert left.minute is not None
    assert (left.minute.trade_count, left.minute.close) == (10, 100 + 69 % 7)


def test_two_starts_in_a_row_find_the_same(instruments: dict[str, Instrument]) -> None:
    Life(instruments["AAPL"]).take(*prints(110))

    first, again = resume(at(115)), resume(at(115))

    assert (first.day, first.minute) == (again.day, again.minute)
    assert resume(at(185)).day == resume(at(185)).day
    assert Bar.objects.filter(timeframe="1Min").count() == 2
