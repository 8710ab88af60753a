"""What the feed process reads from the database and writes into it."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection

from core.domain.clock import FixedClock, to_ns
from marketdata.domain.bars import MINUTE_NS, Bar, Period
from marketdata.domain.keeping import BarKeeper, DatedBar
from marketdata.domain.plan import FeedInstrument, FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.sessions import Session as MarketSession
from marketdata.domain.stored import TradeRow
from marketdata.domain.trading_days import SessionDays, UtcDays
from marketdata.domain.values import Aggressor, Grid, Level, Quote, Trade
from marketdata.feeds.composing import SourceParts, make_chain, make_source
from marketdata.feeds.items import QuoteNumbers, StoredItem
from marketdata.feeds.replay.clock import ReplayClock
from marketdata.feeds.replay.feed import ReplayFeed
from marketdata.feeds.store import Rows, TickStore
from marketdata.management.commands.run_feed import (
    parts_of,
    save_bars,
    save_rows,
    where_bars_go_on,
)
from marketdata.models import Bar as StoredBar
from marketdata.models import (
    Feed,
    FeedRoute,
    Instrument,
    SecondBar,
    Session,
    StoredQuote,
    StoredTrade,
    TickDay,
)
from marketdata.selectors import configured_feeds, ranked_feeds, trading_days
from marketdata.services import resumed_bars, save_feed_bars, seed_replay
from marketdata.services import ticks as ticks_module
from tests.marketdata.lean_files import write_zip

pytestmark = pytest.mark.django_db(transaction=True)
GRID = Grid("AAPL", Decimal("0.01"), Decimal(1))


def at(second: int) -> int:
    return to_ns(datetime(2026, 3, 2, 15, 30, second, tzinfo=UTC))


def save_and_hang_up(rows: Rows) -> None:
    """In the store's own thread, whose connection nobody else can close."""
    save_rows(rows)
    connection.close()


def test_ticks_and_seconds_are_stored_with_their_feed(instruments: dict[str, Instrument]) -> None:
    apple = instruments["AAPL"]
    store = TickStore({"AAPL": apple.pk}, save_and_hang_up)
    bid, ask = Level(Decimal("9.99"), Decimal(5)), Level(Decimal("10.01"), Decimal(7))
    price = Decimal(10)
    told: list[Quote | Trade | Bar] = [
        Quote("AAPL", (bid,), (ask,), at(0), "hand"),
        Quote("AAPL", (bid,), (), at(0), "hand"),
        Trade("AAPL", 7, price, Decimal(3), Aggressor.SELL, at(1), "hand", "Q", 4),
        Trade("AAPL", 8, price, Decimal(3), None, at(1), "hand"),
        Bar("AAPL", at(1), price, price, price, price, Decimal(6), 2, price, is_closed=True),
        Trade("AAPL", 9, Decimal("0.000000001"), Decimal(3), None, at(1), "hand"),
    ]

    numbers = QuoteNumbers()
    items = [
        StoredItem(4, item, numbers.number(item) if isinstance(item, Quote) else 0) for item in told
    ]
    asyncio.run(store.deliver(items))

    quotes = StoredQuote.objects.order_by("number").values_list("number", "bid_e8", "ask_e8")
    assert list(quotes) == [(0, 999_000_000, 1_001_000_000), (1, 999_000_000, 0)]
    trades = StoredTrade.objects.order_by("number")
    assert list(trades.values_list("number", "side", "flags", "exchange", "feed_id")) == [
        (7, -1, 4, "Q", 4),
        (8, 0, 0, "", 4),
    ]
    second = SecondBar.objects.get()
    assert (second.volume_e8, second.trade_count, second.turnover_e8) == (
        600_000_000,
        2,
        6_000_000_000,
    )


def test_delivery_that_is_repeated_stores_nothing_twice(
    instruments: dict[str, Instrument],
) -> None:
    store = TickStore({"AAPL": instruments["AAPL"].pk}, save_and_hang_up)
    items = [
        StoredItem(4, Trade("AAPL", 7, Decimal(10), Decimal(3), None, at(1), "hand")),
        StoredItem(4, Quote("AAPL", (Level(Decimal(9), Decimal(1)),), (), at(2), "hand")),
    ]

    asyncio.run(store.deliver(items))
    asyncio.run(store.deliver(items))

    assert (StoredTrade.objects.count(), StoredQuote.objects.count()) == (1, 1)


def test_enabled_feeds_of_the_asked_adapters_run_with_their_instruments(
    instruments: dict[str, Instrument],
) -> None:
    live = Feed.objects.create(name="live", adapter="alpaca", options={"paper": True})
    sim = Feed.objects.create(name="sim", adapter="simulated")
    off = Feed.objects.create(name="off", adapter="simulated", is_enabled=False)
    Feed.objects.create(name="idle", adapter="simulated")
    apple = instruments["AAPL"]
    FeedRoute.objects.create(instrument=apple, feed=sim, rank=2)
    FeedRoute.objects.create(instrument=apple, feed=live, rank=1, symbol_there="AAPL.US")
    FeedRoute.objects.create(instrument=apple, feed=off, rank=3)

    assert [feed.name for feed in configured_feeds(["simulated"])] == ["sim"]
    (there,) = configured_feeds(["alpaca"])
    assert [item.name_there for item in there.instruments] == ["AAPL.US"]
    assert ranked_feeds(["live", "sim"]) == {"AAPL": ["live", "sim"]}


def test_days_of_a_venue_with_a_calendar_are_its_sessions(
    instruments: dict[str, Instrument],
) -> None:
    venue = instruments["AAPL"].venue
    venue.calendar, venue.time_zone = "XNYS", "America/New_York"
    venue.save()
    opens = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    Session.objects.create(
        calendar="XNYS",
        day=opens.date(),
        opens_at=opens,
        closes_at=opens + timedelta(hours=6, minutes=30),
    )

    days = trading_days(["AAPL"], at(0))["AAPL"]

    midnight = to_ns(datetime(2026, 3, 2, 5, tzinfo=UTC))
    closes_ns = to_ns(opens + timedelta(hours=6, minutes=30))
    assert days.period_of(at(0)) == Period(midnight, to_ns(opens), closes_ns)
    assert days.period_of(closes_ns) is None
    assert days.closing_ns(closes_ns) == closes_ns - 1


def test_bar_of_a_price_that_is_too_fine_is_not_stored_as_its_trade_is_not(
    instruments: dict[str, Instrument],
) -> None:
    price = Decimal("0.00000001")
    fine = Bar("AAPL", at(0), price, price, price * Decimal("0.4"), price, Decimal("0.123456789"),
               1, None, is_closed=True)  # fmt: skip
    whole = replace(fine, start_ns=at(0) + MINUTE_NS, low=price)

    save_feed_bars([DatedBar("1Min", fine, "x"), DatedBar("1Min", whole, "x")])

    stored = StoredBar.objects.values_list("low", "volume")
    assert [*stored] == [(price, Decimal("0.12345679"))]


def test_nothing_is_resumed_where_nothing_was_left(instruments: dict[str, Instrument]) -> None:
    left = resumed_bars({"AAPL": UtcDays()}, at(0))["AAPL"]

    assert (left.day, left.minute) == (None, None)


def test_bars_go_on_where_they_were_left_but_a_past_told_anew_is_drawn_anew(
    instruments: dict[str, Instrument], now: datetime, tmp_path: Path
) -> None:
    price = Decimal(10)
    minute_ns = to_ns(now) // MINUTE_NS * MINUTE_NS
    today = Bar("AAPL", minute_ns, price, price, price, price, price, 1, price, is_closed=True)
    save_feed_bars([DatedBar("1Min", today, "sim")])
    days = {"AAPL": UtcDays()}
    live, moved = ReplayClock(FixedClock(now)), ReplayClock(FixedClock(now))
    monday_ns = to_ns(datetime(2013, 10, 7, 4, tzinfo=UTC))  # midnight in New York
    write_zip(tmp_path / "equity/usa/tick/aapl/20131007_trade.zip", ("1,100000,100,Q,1,0",))
    options = {"folder": str(tmp_path), "shift": False}

    ReplayFeed(FeedSetup("replay", moved, [FeedInstrument(GRID)], options))

    assert where_bars_go_on(days, live)["AAPL"].minute == today
    past = where_bars_go_on(days, moved)
    assert (moved.now_ns(), past["AAPL"].minute) == (monday_ns + 1_000_000, None)
    first = Trade("AAPL", 1, price, price, None, moved.now_ns(), "replay")
    assert not BarKeeper(past).take(first).is_late


def test_replay_follows_the_folder_that_is_configured(
    instruments: dict[str, Instrument], tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first / "equity/usa/tick/aig", second / "equity/usa/minute/spy"):
        folder.mkdir(parents=True)
    seed_replay(folder=str(first))
    feed = Feed.objects.get(name="replay")
    feed.options |= {"speed": 1, "start": "2013-10-07"}
    feed.save()

    assert seed_replay(folder=str(second)) == 1
    assert seed_replay(folder=str(second)) == 0

    feed.refresh_from_db()
    assert feed.options == {
        "folder": str(second),
        "market": "equity/usa",
        "resolution": "minute",
        "loop": True,
        "speed": 1,
        "start": "2013-10-07",
    }
    assert ranked_feeds(["replay"]) == {"SPY": ["replay"]}
    assert Instrument.objects.filter(symbol="AIG").exists()


def test_options_of_a_replay_are_changed_by_command(
    instruments: dict[str, Instrument], tmp_path: Path
) -> None:
    (tmp_path / "equity/usa/tick/aig").mkdir(parents=True)
    seed_replay(folder=str(tmp_path))

    call_command("feed", "change", "replay", "--option", f"folder={tmp_path}", "--option",
                 "shift=false", "--option", "speed=0", stdout=StringIO())  # fmt: skip
    with pytest.raises(CommandError, match="The speed must be a whole number"):
        call_command("feed", "change", "replay", "--option", f"folder={tmp_path}", "--option",
                     "speed=-1")  # fmt: skip

    options = Feed.objects.get(name="replay").options
    assert options == {"folder": str(tmp_path), "shift": False, "speed": 0}


def test_folder_without_recorded_days_is_refused_and_changes_nothing(
    instruments: dict[str, Instrument], tmp_path: Path
) -> None:
    (tmp_path / "equity/usa/tick/aig").mkdir(parents=True)
    seed_replay(folder=str(tmp_path))

    with pytest.raises(ValidationError, match="There are no recorded days of US equities in"):
        seed_replay(folder=str(tmp_path / "elsewhere"))

    assert Feed.objects.get(name="replay").options["folder"] == str(tmp_path)
    assert ranked_feeds(["replay"]) == {"AIG": ["replay"]}


def test_name_of_the_replay_that_another_adapter_has_is_refused(
    instruments: dict[str, Instrument], tmp_path: Path
) -> None:
    Feed.objects.create(name="replay", adapter="simulated")

    with pytest.raises(ValidationError, match="has the adapter simulated"):
        seed_replay(folder=str(tmp_path))


def test_replay_of_a_folder_makes_its_instruments_once(
    instruments: dict[str, Instrument], tmp_path: Path
) -> None:
    for symbol in ("aapl", "aig"):
        (tmp_path / "equity" / "usa" / "tick" / symbol).mkdir(parents=True)
    sim = Feed.objects.create(name="sim", adapter="simulated")
    FeedRoute.objects.create(instrument=instruments["AAPL"], feed=sim)

    assert seed_replay(folder=str(tmp_path)) == 1
    assert seed_replay(folder=str(tmp_path)) == 0

    made = Instrument.objects.get(symbol="AIG")
    assert (made.venue.code, made.venue.calendar) == ("REPLAY", "ALWAYS")
    assert ranked_feeds(["sim", "replay"]) == {"AAPL": ["sim", "replay"], "AIG": ["replay"]}
    assert Feed.objects.get(name="replay").options["resolution"] == "tick"


def parts(**options: object) -> SourceParts:
    instrument = FeedInstrument(GRID, Decimal(10), Decimal(10))
    return SourceParts(1, "sim", "simulated", options, None, [instrument])


def test_options_of_every_feed_are_read_by_the_process(now: datetime) -> None:
    clock = ReplayClock(FixedClock(now))
    asked = parts(silence_seconds=7, keeps_quotes=False, chain_seconds=3, scenario="trend")

    source = make_source(asked, clock, 1)
    chain = make_chain([asked], {"AAPL": ["sim", "gone"]}, clock.now_ns())

    assert (source.silence_ns, source.keeps_quotes, source.can_wait) == (7_000_000_000, False, True)
    assert chain.offer("sim", "AAPL", 1, clock.now_ns()) is True
    assert chain.offer("gone", "AAPL", 1, clock.now_ns()) is False


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"silence_seconds": -1}, "The option 'silence_seconds' must be a whole number"),
        ({"chain_seconds": "soon"}, "The option 'chain_seconds' must be a whole number"),
        ({"keeps_quotes": "no"}, "The option 'keeps_quotes' must be true or false"),
        ({"scenario": "panic"}, "The option 'scenario' must be one of"),
    ],
)
def test_feed_with_a_wrong_option_is_away_and_says_which(
    now: datetime, options: dict[str, object], complaint: str
) -> None:
    clock = ReplayClock(FixedClock(now))

    source = make_source(parts(**options), clock, 1)
    chain = make_chain([parts(**options)], {"AAPL": ["sim"]}, clock.now_ns())

    assert (source.name, source.symbols, source.feed_id) == ("sim", ["AAPL"], 1)
    with pytest.raises(FeedAwayError, match=f"{complaint}.*Correct it, then run ./portal restart"):
        asyncio.run(source.feed.open())
    assert chain.feed_of("AAPL") is None


def test_feed_whose_key_cannot_be_read_is_away_and_says_so(
    instruments: dict[str, Instrument], now: datetime
) -> None:
    locked = Feed.objects.create(name="locked", adapter="alpaca", credentials=b"not ours")
    FeedRoute.objects.create(instrument=instruments["AAPL"], feed=locked)
    (configured,) = configured_feeds(["alpaca"])

    source = make_source(parts_of(configured), ReplayClock(FixedClock(now)), 1)

    assert (source.name, source.symbols) == ("locked", ["AAPL"])
    with pytest.raises(FeedAwayError, match="its key cannot be read"):
        asyncio.run(source.feed.open())


def test_a_row_that_the_store_refuses_costs_no_other(instruments: dict[str, Instrument]) -> None:
    pk = instruments["AAPL"].pk
    rows = Rows()
    for number, exchange in enumerate(["Q", "\x00", "P"]):
        rows.trades.append(TradeRow(pk, at(1), number, 100, 100, 0, 4, 0, exchange))
    rows.trades.append(TradeRow(pk, -(10**30), 3, 100, 100, 0, 4, 0, ""))
    rows.trades.append(TradeRow(pk, at(1), 4, -100, 100, 0, 4, 0, ""))

    save_rows(rows)

    numbers = StoredTrade.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [0, 2]


def test_a_day_that_was_dropped_meanwhile_is_made_anew(
    instruments: dict[str, Instrument], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = ticks_module.ensure_days, []

    def ensure(table: TickDay.Table, days: Iterable[date]) -> None:
        calls.append(table)
        if len(calls) > 1:  # the first time the partition is dropped right after
            real(table, days)

    monkeypatch.setattr(ticks_module, "ensure_days", ensure)
    rows = Rows()
    rows.trades.append(TradeRow(instruments["AAPL"].pk, at(1), 1, 100, 100, 0, 4, 0, "Q"))

    save_rows(rows)

    assert StoredTrade.objects.count() == 1


def test_bars_that_can_never_be_stored_hold_up_no_others(
    instruments: dict[str, Instrument],
) -> None:
    def bar(price: str, minute: int) -> DatedBar:
        value = Decimal(price)
        made = Bar(*("AAPL", at(0) + minute * MINUTE_NS, *[value] * 4, value, 1, value), True)
        return DatedBar("1Min", made, "hand")

    save_bars([bar("10", 0), bar("1e25", 1), bar("11", 2)])

    assert list(StoredBar.objects.order_by("start").values_list("close", flat=True)) == [10, 11]


def test_day_of_a_session_that_has_just_ended_is_resumed_as_it_is_stored(
    instruments: dict[str, Instrument],
) -> None:
    day = datetime(2026, 3, 2, tzinfo=UTC)
    session = MarketSession(day.date(), to_ns(day) + 50, at(0))
    days = SessionDays([session], "UTC")
    StoredBar.objects.create(
        instrument=instruments["AAPL"], timeframe="1Day", start=day, source="hand",
        open=1, high=4, low=1, close=3, volume=900, trade_count=40, vwap=2,
    )  # fmt: skip

    left = resumed_bars({"AAPL": days}, at(0) + 60 * 10**9)["AAPL"]

    assert left.day is None
    assert left.ended_day is not None
    assert (left.ended_day.start_ns, left.ended_day.volume) == (to_ns(day) + 50, 900)
    assert resumed_bars({"AAPL": days}, at(0) + 3600 * 10**9)["AAPL"].ended_day is None
