"""Messages of the Alpaca dialect become ticks exactly; a source that refuses or goes is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgpack
import pytest
from websockets.asyncio.server import ServerConnection, serve

from core.domain.clock import FixedClock, to_ns
from marketdata.domain.bar_spans import end_of
from marketdata.domain.plan import Credentials, FeedInstrument, FeedOptionError, FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.timeframes import Timeframe, Unit
from marketdata.domain.told_numbers import TellingError, decimal_of, rfc3339_ns
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import Aggressor, Grid, Level, Quote, Tick, Trade
from marketdata.feeds.alpaca.client import AlpacaFeed, _Line
from marketdata.feeds.alpaca.options import read_options
from marketdata.feeds.alpaca.parse import MAX_BOOK_LEVELS, Dialect, bar_of, flags_of

NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
T = "2026-03-02T15:30:00.123456789Z"
T_NS = to_ns(NOW) + 123_456_789
KEY = Credentials("PKTEST", "a-secret-that-nobody-may-read")
NAMES = {"AAPL": "AAPL", "BTC/USD": "BTC-DOLLAR"}


def tick_of(**message: Any) -> Tick | None:
    return Dialect(NAMES).tick({"t": T} | message)


# --- parsing ---


def test_a_trade_is_told_exactly() -> None:
    trade = tick_of(T="t", S="AAPL", i=96921, x="V", p=126.55, s=1, c=["@", "I"], z="C", t=T)

    assert trade == Trade(
        "AAPL",
        96921,
        Decimal("126.55"),
        Decimal(1),
        None,
        T_NS,
        exchange="V",
        flags=TradeFlag.NO_PRICE,
    )


def test_a_crypto_trade_knows_who_took_and_gets_our_name() -> None:
    sold = tick_of(T="t", S="BTC/USD", i=7, p="0.00000001", s=1e-08, tks="S")

    assert sold == Trade("BTC-DOLLAR", 7, Decimal("1E-8"), Decimal("1E-8"), Aggressor.SELL, T_NS)


def test_a_time_out_of_msgpack_is_a_whole_number_of_nanoseconds() -> None:
    told = msgpack.unpackb(
        msgpack.packb({"t": msgpack.Timestamp.from_unix_nano(T_NS)}), timestamp=2
    )

    trade = tick_of(T="t", S="AAPL", i=1, p=1.5, s=2, **told)

    assert trade is not None
    assert trade.t_ns == T_NS


def test_an_empty_side_of_a_quote_stays_empty() -> None:
    quote = tick_of(T="q", S="AAPL", bp=430.46, bs=43, ap=0, **{"as": 0})

    assert quote == Quote("AAPL", (Level(Decimal("430.46"), Decimal(43)),), (), T_NS)


def test_sizes_in_round_lots_are_shares_when_the_option_says_so() -> None:
    quote = Dialect(NAMES, quote_lot=100).tick(
        {"T": "q", "S": "AAPL", "t": T, "bp": 1.5, "bs": 2, "ap": 1.6, "as": 3}
    )

    assert isinstance(quote, Quote)
    assert [quote.bids[0].size, quote.asks[0].size] == [200, 300]


def test_a_book_is_kept_between_its_changes_best_first() -> None:
    dialect = Dialect(NAMES)

    def told(**message: Any) -> tuple[Any, Any]:
        """Both sides; None and None when nothing is told."""
        quote = dialect.tick({"T": "o", "S": "BTC/USD", "t": T} | message)
        return (quote.bids, quote.asks) if isinstance(quote, Quote) else (None, None)

    ten = [{"p": 100 + step, "s": 1} for step in range(12)]
    assert told(b=[{"p": 99, "s": 1}], a=[]) == (None, None)  # a change of what we have not seen
    bids, asks = told(b=[{"p": 98, "s": 2}, {"p": 99, "s": 1.5}], a=ten, r=True)
    assert bids == ((99, Decimal("1.5")), (98, 2))
    assert [level.price for level in asks] == [*range(100, 110)]
    bids, asks = told(b=[{"p": 99, "s": 0}], a=[{"p": 100, "s": 0}, {"p": 101, "s": 7}])
    assert bids == ((98, 2),)
    assert asks[0] == (101, 7)
    assert len(asks) == 10
    assert told(b=[], a=[{"p": 5, "s": 1}], r=True) == ((), ((5, 1),))
    dialect.forget_books()
    assert told(b=[{"p": 1, "s": 1}], a=[]) == (None, None)


def test_messages_of_others_and_control_words_tell_nothing() -> None:
    assert tick_of(T="t", S="IBM", i=1, p=1, s=1) is None
    assert tick_of(T="subscription", trades=["AAPL"]) is None
    assert tick_of(T="b", S="AAPL", o=1, h=1, l=1, c=1, v=1, n=1, vw=1) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"p": 0},
        {"p": -1},
        {"p": None},
        {"p": float("nan")},
        {"p": float("inf")},
        {"p": "1,5"},
        {"p": True},
        {"s": 0},
        {"t": None},
        {"t": "2026-03-02T15:30:00"},
        {"t": "yesterday"},
        {"i": "abc"},
        {"i": 2**63},
        {"i": -1},
    ],
)
def test_a_trade_that_cannot_be_right_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TellingError):
        tick_of(**({"T": "t", "S": "AAPL", "i": 1, "p": 1, "s": 1} | wrong))


def test_a_book_that_cannot_be_right_ends_the_connection() -> None:
    for levels in ("all of it", [{"p": 1}], [[1, 2]], [{"p": 0, "s": 1}]):
        with pytest.raises(FeedAwayError, match="the order book of BTC/USD cannot be right"):
            tick_of(T="o", S="BTC/USD", r=True, b=levels, a=[])


@pytest.mark.parametrize(
    "broken",
    [
        {"b": [{"p": 99, "s": 0}, {"p": 97, "s": -1}], "a": []},
        {"b": [{"p": 99, "s": 0}], "a": [{"p": 0, "s": 1}]},
        {"b": [{"p": 99, "s": 0}], "a": [], "t": None},
    ],
)
def test_a_book_with_a_broken_change_is_never_shown_again(broken: dict[str, Any]) -> None:
    dialect = Dialect(NAMES)
    book = {"T": "o", "S": "BTC/USD", "t": T}
    dialect.tick(book | {"b": [{"p": 99, "s": 1}], "a": [{"p": 100, "s": 1}], "r": True})

    with pytest.raises(FeedAwayError):
        dialect.tick(book | broken)

    assert dialect.tick(book | {"b": [{"p": 98, "s": 1}], "a": []}) is None


def test_a_book_that_only_grows_is_not_followed_for_ever() -> None:
    dialect = Dialect(NAMES)
    book = {"T": "o", "S": "BTC/USD", "t": T, "a": []}
    levels = [{"p": 1 + price, "s": 1} for price in range(MAX_BOOK_LEVELS)]
    assert dialect.tick(book | {"b": levels, "r": True}) is not None

    with pytest.raises(FeedAwayError, match="more than 10,000 levels a side"):
        dialect.tick(book | {"b": [{"p": 0.5, "s": 1}]})

    assert dialect.tick(book | {"b": []}) is None


@pytest.mark.parametrize(
    ("conditions", "tape", "flags"),
    [
        (["@"], "C", 0),
        (["@", "F", "T"], "C", TradeFlag.EXTENDED),
        (["B"], "A", TradeFlag.NO_PRICE),
        (["B"], "C", 0),
        (["W"], "C", TradeFlag.NO_PRICE),
        (["U"], "A", TradeFlag.NO_PRICE | TradeFlag.EXTENDED),
        (["6", "X"], "C", TradeFlag.CLOSING),
        (["M"], "C", TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME),
        (["9"], "A", TradeFlag.NO_VOLUME),
        ([" ", "?"], "A", 0),
        (None, None, 0),
        ("IW", "A", 0),
    ],
)
def test_conditions_say_what_a_print_may_move(conditions: object, tape: object, flags: int) -> None:
    assert flags_of({"c": conditions, "z": tape}) == flags


def test_trades_of_many_exchanges_are_numbered_by_time() -> None:
    dialect = Dialect(NAMES, is_one_exchange=False)
    message = {"T": "t", "S": "AAPL", "i": 5, "p": 1, "s": 1}

    trades = [dialect.tick(message | {"t": t_ns}) for t_ns in (1000, 1000, 900, 2000)]

    numbers = [trade.trade_id for trade in trades if isinstance(trade, Trade)]
    assert numbers == [1000, 1001, 1002, 2000]


def test_a_bar_of_history_is_closed_and_exact() -> None:
    bar = bar_of(
        "AAPL",
        {"t": "2026-03-02T15:30:00Z", "o": Decimal("430.0"), "h": 431.5, "l": 429, "c": 430.25,
         "v": 1200, "n": 90, "vw": Decimal("430.12345678")},
    )  # fmt: skip

    assert (bar.start_ns, bar.is_closed, bar.trade_count) == (to_ns(NOW), True, 90)
    told = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap)
    assert [*map(str, told)] == ["430.0", "431.5", "429", "430.25", "1200", "430.12345678"]
    assert bar_of("AAPL", {"t": T, "o": 1, "h": 1, "l": 1, "c": 1, "v": 0, "n": None}).vwap is None


def test_floats_are_the_text_that_was_sent() -> None:
    assert str(decimal_of(0.1 + 0.2)) == "0.30000000000000004"
    assert decimal_of(64248.37) == Decimal("64248.37")
    assert rfc3339_ns("2026-03-02T16:30:00.5+01:00") == to_ns(NOW) + 500_000_000
    assert rfc3339_ns("2026-03-02T15:30:00Z") == to_ns(NOW)


def test_a_bar_ends_where_the_next_begins() -> None:
    assert end_of(NOW, Timeframe(5, Unit.MINUTE)) == NOW.replace(minute=35)
    assert end_of(datetime(2026, 11, 1, tzinfo=UTC), Timeframe(3, Unit.MONTH)) == datetime(
        2027, 2, 1, tzinfo=UTC
    )
    assert end_of(datetime(2026, 12, 1, tzinfo=UTC), Timeframe(1, Unit.MONTH)).year == 2027


# --- options ---


def test_a_base_address_serves_streams_and_data() -> None:
    options = read_options({"base_url": "https://portal.example:8443/", "feed": "sip"})

    assert options.stock_stream == "wss://portal.example:8443/v2/sip"
    assert options.crypto_stream == "wss://portal.example:8443/v1beta3/crypto/us"
    assert options.data_url == "https://portal.example:8443"


def test_without_options_it_is_the_vendor() -> None:
    options = read_options({})

    assert options.stock_stream == "wss://stream.data.alpaca.markets/v2/iex"
    assert options.data_url == "https://data.alpaca.markets"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"base_url": "file:///etc/passwd"}, "must be an address that begins with http://"),
        ({"base_url": "gopher://x"}, "must be an address that begins with http://"),
        ({"base_url": "http://"}, "must be an address"),
        ({"base_url": "http://user:word@host"}, "keys are set with --key-stdin"),
        ({"base_url": "http://host/?token=x"}, "keys are set with --key-stdin"),
        ({"base_url": "http://host:port"}, "must be an address"),
        ({"base_url": "http://ho st"}, "must be an address"),
        ({"base_url": 5}, "must be a short text"),
        ({"base_url": "http://portal.example"}, "must begin with https://: a key is sent there"),
        ({"stream_url": "ws://10.0.0.1"}, "must begin with wss://"),
        ({"data_url": "http://127.0.0.1.example"}, "must begin with https://"),
        ({"stream_url": "http://host"}, "begins with ws:// or wss://"),
        ({"feed": "otc"}, "must be one of iex, sip"),
        ({"quote_lot": 0}, "whole number from 1 to 1000"),
        ({"quote_lot": True}, "whole number"),
        ({"secret": "x"}, "There is no option 'secret'; this adapter takes adjustment, base_url"),
    ],
)
def test_wrong_options_are_refused_with_their_reason(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(FeedOptionError, match=reason.replace("?", r"\?")):
        AlpacaFeed(setup(options))


# --- the socket ---


def setup(options: dict[str, Any], *, credentials: Credentials | None = KEY) -> FeedSetup:
    stock = FeedInstrument(Grid("AAPL", Decimal("0.01"), Decimal(1)))
    return FeedSetup("alpaca-live", FixedClock(NOW), [stock], options, credentials)


Story = Callable[["Side"], Awaitable[None]]


class Side:
    """The source's side of one connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def say(self, *messages: dict[str, Any]) -> None:
        await self.connection.send(msgpack.packb(list(messages), datetime=True))

    async def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = msgpack.unpackb(await self.connection.recv())
        return heard

    async def let_in(self) -> None:
        await self.say({"T": "success", "msg": "connected"})
        auth = await self.hear()
        assert (auth["key"], auth["secret"]) == KEY
        await self.say({"T": "success", "msg": "authenticated"})
        asked = await self.hear()
        assert asked == {"action": "subscribe", "trades": ["AAPL"], "quotes": ["AAPL"]}
        await self.say({"T": "subscription", "trades": ["AAPL"], "quotes": ["AAPL"], "bars": []})


@asynccontextmanager
async def source(story: Story) -> AsyncIterator[AlpacaFeed]:
    """A feed whose source tells `story` on every connection."""

    async def tell(connection: ServerConnection) -> None:
        await story(Side(connection))

    async with serve(tell, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        feed = AlpacaFeed(setup({"stream_url": f"ws://127.0.0.1:{port}"}))
        try:
            yield feed
        finally:
            await feed.close()


def trade(number: int, t: datetime = NOW) -> dict[str, Any]:
    return {"T": "t", "S": "AAPL", "i": number, "x": "V", "p": 430.48, "s": 7, "c": ["@"], "t": t}


async def heard(feed: AlpacaFeed, count: int) -> list[Tick]:
    ticks: list[Tick] = []
    while len(ticks) < count:
        ticks += await feed.receive()
    return ticks


async def why_away(act: Callable[[], Awaitable[object]]) -> str:
    while True:
        try:
            await act()
        except FeedAwayError as error:
            assert KEY.secret not in str(error)
            return str(error)


def test_a_connection_that_is_lost_is_told_after_what_came_before_it() -> None:
    async def story(side: Side) -> None:
        await side.let_in()
        await side.say(trade(1), trade(2))

    async def run() -> None:
        async with source(story) as feed:
            await feed.open()
            ticks = await heard(feed, 2)
            lost = await why_away(feed.receive)

            assert [tick.trade_id for tick in ticks if isinstance(tick, Trade)] == [1, 2]
            assert lost.startswith("ConnectionClosed")

            await feed.open()

            assert len(await heard(feed, 2)) == 2

    asyncio.run(run())


def test_trades_from_before_the_opening_are_not_told() -> None:
    async def story(side: Side) -> None:
        await side.let_in()
        await side.say(trade(1, NOW.replace(minute=29)), trade(2))
        await side.hear()

    async def run() -> None:
        async with source(story) as feed:
            await feed.open()

            assert [getattr(tick, "trade_id", None) for tick in await heard(feed, 1)] == [2]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"T": "error", "code": 402, "msg": "auth failed"}, "the source refuses our key; set"),
        ({"T": "error", "code": 406, "msg": "connection limit exceeded"}, "allows no second one"),
        ({"T": "error", "code": 409, "msg": "insufficient subscription"}, "does not include this"),
        ({"T": "error", "code": 500, "msg": "internal error"}, "internal error"),
    ],
)
def test_a_refused_sign_in_says_why(message: dict[str, Any], reason: str) -> None:
    async def story(side: Side) -> None:
        await side.say({"T": "success", "msg": "connected"})
        await side.hear()
        await side.say(message)

    async def run() -> None:
        async with source(story) as feed:
            assert reason in await why_away(feed.open)

    asyncio.run(run())


def test_a_refused_subscription_says_why() -> None:
    answers: list[dict[str, Any]] = [
        {"T": "error", "code": 405, "msg": "symbol limit exceeded"},
        {"T": "subscription", "trades": ["AAPL"], "quotes": []},
    ]

    async def story(side: Side) -> None:
        await side.say({"T": "success", "msg": "connected"})
        await side.hear()
        await side.say({"T": "success", "msg": "authenticated"})
        await side.hear()
        await side.say(answers.pop(0))

    async def run() -> None:
        async with source(story) as feed:
            assert "route fewer to this feed" in await why_away(feed.open)
            assert await why_away(feed.open) == "the source gives no quotes of AAPL"

    asyncio.run(run())


def test_an_error_amid_the_stream_and_a_frame_of_nonsense_end_it() -> None:
    endings = [
        msgpack.packb([{"T": "error", "code": 407, "msg": "slow client"}]),
        msgpack.packb({"T": "t"}),
        b"\xc1",
    ]

    async def story(side: Side) -> None:
        await side.let_in()
        await side.connection.send(endings.pop(0))
        await side.hear()

    async def run() -> None:
        async with source(story) as feed:
            reasons = []
            for _ in range(3):
                await feed.open()
                reasons.append(await why_away(feed.receive))

            assert reasons[0] == "we read too slowly, and the source hung up"
            assert "no list of messages" in reasons[1]
            assert reasons[2].startswith("FormatError")

    asyncio.run(run())


def test_a_message_that_cannot_be_right_costs_only_itself() -> None:
    async def story(side: Side) -> None:
        await side.let_in()
        await side.say(trade(1) | {"p": -5}, trade(2))
        await side.hear()

    async def run() -> None:
        async with source(story) as feed:
            await feed.open()

            assert [getattr(tick, "trade_id", None) for tick in await heard(feed, 1)] == [2]

    asyncio.run(run())


def test_a_broken_book_is_told_as_a_loss_after_what_came_before_it() -> None:
    line = _Line(None, {}, Dialect(NAMES))
    book = {"T": "o", "S": "BTC/USD", "t": T, "b": [], "a": [{"p": 0, "s": 1}], "r": True}

    ticks = line.ticks([trade(1) | {"t": T}, book, trade(2) | {"t": T}])

    assert [getattr(tick, "trade_id", None) for tick in ticks] == [1]
    assert "cannot be right" in str(line.lost)


def test_a_source_that_is_not_there_is_away() -> None:
    feed = AlpacaFeed(setup({"stream_url": "ws://127.0.0.1:9"}))

    assert asyncio.run(why_away(feed.open)).startswith("ConnectionRefusedError")


def test_without_a_key_it_says_how_to_set_one() -> None:
    feed = AlpacaFeed(setup({}, credentials=None))

    assert "./portal manage feed key" in asyncio.run(why_away(feed.open))


def test_the_key_is_in_no_repr() -> None:
    assert KEY.secret not in repr(setup({}))
    assert KEY.secret not in repr(replace(setup({}), name="other"))


def test_a_server_of_another_dialect_is_away() -> None:
    greetings: list[Any] = ["[]", msgpack.packb([]), msgpack.packb({"hello": 1}), b"\xc1"]

    async def story(side: Side) -> None:
        await side.connection.send(greetings.pop(0))
        await side.hear()

    async def run() -> None:
        async with source(story) as feed:
            for _ in range(4):
                assert await why_away(feed.open) != ""

    asyncio.run(run())
