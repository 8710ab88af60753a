"""Writes live_frames.json: what the server says of one instrument, for the pages' own tests.

Run `python -m tests.marketdata.live_frames` after a change of what a frame says. Trades go into the
server's own bars; their frames and the bars that they ended as are written together, so that a
chart that follows the frames must come to the same bars.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.bars import MINUTE_NS, Bar, BarBuilder, every
from marketdata.domain.frames import bar_data, quote_data, trade_data
from marketdata.domain.topics import bar_topic, quote_topic, trade_topic
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import Aggressor, Level, Quote, Trade

PATH: Final = Path(__file__).with_name("live_frames.json")
SYMBOL: Final = "AAPL"
START_NS: Final = 1_772_465_400 * NANOSECONDS_PER_SECOND
"""2026-03-02 15:30 UTC."""
Json = dict[str, Any]  # Any: a document

# Second, price, size, flags; in the order in which they are told.
PRINTS: Final = [
    (1, "100.00", "10", TradeFlag.NONE),
    (5, "250.00", "7", TradeFlag.NO_PRICE),
    (9, "101.50", "5", TradeFlag.NONE),
    (20, "99.00", "2", TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME),
    (58, "100.50", "1", TradeFlag.EXTENDED),
    (61, "100.75", "3", TradeFlag.NONE),
    (57, "103.25", "4", TradeFlag.NONE),
    (3, "1.00", "900", TradeFlag.LATE),
    (59, "99.75", "6", TradeFlag.NONE),
    (70, "100.25", "2", TradeFlag.NONE),
    (130, "100.10", "8", TradeFlag.NONE),
    (131, "400.00", "1", TradeFlag.NO_PRICE),
    (299, "98.50", "1", TradeFlag.CLOSING),
    (301, "98.75", "1", TradeFlag.NONE),
    (298, "97.25", "2", TradeFlag.NONE),
    (305, "55.00", "2", TradeFlag.LATE | TradeFlag.NO_PRICE),
]
"""Prints that draw, that only count, that do neither, and that amend the minute before."""


def document() -> Json:
    """The frames in their order, and the bars and the price that they lead to."""
    minutes = BarBuilder(SYMBOL, every(MINUTE_NS))
    fives = BarBuilder(SYMBOL, every(5 * MINUTE_NS))
    frames: list[Json] = [_frame(quote_topic(SYMBOL), quote_data(quote)) for quote in _quotes()]
    ended: dict[str, dict[int, Bar]] = {"1Min": {}, "5Min": {}}
    last = Decimal(0)
    for trade in _trades():
        frames.append(_frame(trade_topic(SYMBOL), trade_data(trade)))
        if trade.flags & TradeFlag.LATE:
            continue
        if not trade.flags & TradeFlag.NO_PRICE:
            last = trade.price
        for bar in _told(minutes, trade, ended["1Min"]):
            frames.append(_frame(bar_topic(SYMBOL), bar_data(bar, "tape")))
        for _ in _told(fives, trade, ended["5Min"]):
            pass
    frames.append(_frame(quote_topic(SYMBOL), quote_data(_quote("98.50", None), is_stale=True)))
    return {
        "frames": frames,
        "bars": {
            timeframe: [bar_data(bar) for _, bar in sorted(bars.items())]
            for timeframe, bars in ended.items()
        },
        "last": str(last),
        "middles": ["99.95", None, None],
    }


def page() -> str:
    """The whole file."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=1).decode() + "\n"


def _told(builder: BarBuilder, trade: Trade, ended: dict[int, Bar]) -> Iterator[Bar]:
    """The bars that are told after `trade`, kept by their start."""
    closed = builder.close(trade.t_ns)
    amended = builder.add(trade, trade.t_ns)
    for bar in (closed, amended, builder.open_bar):
        if bar is not None:
            ended[bar.start_ns] = bar
            yield bar


def _trades() -> Iterator[Trade]:
    for number, (second, price, size, flags) in enumerate(PRINTS, start=1):
        yield Trade(
            symbol=SYMBOL,
            trade_id=number,
            price=Decimal(price),
            size=Decimal(size),
            side=None if number % 2 else Aggressor.BUY,
            t_ns=START_NS + second * NANOSECONDS_PER_SECOND,
            feed="tape",
            exchange="Q" if number % 2 else "",
            flags=int(flags),
        )


def _quotes() -> list[Quote]:
    return [_quote("99.90", "100.00"), _quote(None, "100.00")]


def _quote(bid: str | None, ask: str | None) -> Quote:
    bids, asks = ([Level(Decimal(price), Decimal(1))] if price else [] for price in (bid, ask))
    return Quote(SYMBOL, tuple(bids), tuple(asks), START_NS, feed="tape")


def _frame(topic: str, data: object) -> Json:
    return {"topic": topic, "data": data}


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
