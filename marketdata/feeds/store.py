"""The feed's way to the tick store: turns ticks into rows of whole numbers and saves them in a
thread, a second's worth at once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from marketdata.domain.e8 import NotStorableError, to_e8
from marketdata.domain.frames import EMPTY
from marketdata.domain.stored import QuoteRow, SecondRow, TradeRow, second_row
from marketdata.domain.values import Aggressor, Quote, Trade
from marketdata.feeds.items import StoredItem
from marketdata.metrics import TICKS_NOT_STORABLE

logger = structlog.get_logger(__name__)

SIDES = {Aggressor.BUY: 1, Aggressor.SELL: -1, None: 0}


class Rows:
    """What one delivery writes, by table."""

    def __init__(self) -> None:
        self.trades: list[TradeRow] = []
        self.quotes: list[QuoteRow] = []
        self.seconds: list[SecondRow] = []


SaveRows = Callable[[Rows], None]


Row = TypeVar("Row")


def save_what_can_be(
    rows: Sequence[Row],
    save: Callable[[Sequence[Row]], object],
    refusals: tuple[type[Exception], ...],
) -> list[tuple[Row, Exception]]:
    """Save `rows`, halving those that are refused together, until only rows are left that are
    refused by themselves: these are returned, each with its error. What was refused once is tried
    again first, for a partition that was dropped meanwhile is made anew.
    """
    if not rows:
        return []
    try:
        _twice(save, rows, refusals)
    except refusals as error:
        if len(rows) == 1:
            return [(rows[0], error)]
    else:
        return []
    middle = len(rows) // 2
    return [
        *save_what_can_be(rows[:middle], save, refusals),
        *save_what_can_be(rows[middle:], save, refusals),
    ]


def _twice(
    save: Callable[[Sequence[Row]], object],
    rows: Sequence[Row],
    refusals: tuple[type[Exception], ...],
) -> None:
    try:
        save(rows)
    except refusals:
        save(rows)


class TickStore:
    """Delivers to the store. A number that does not fit in it is counted and left out."""

    def __init__(self, instrument_ids: Mapping[str, int], save: SaveRows) -> None:
        """`save` writes in whatever thread it is called and raises what the link waits out."""
        self._ids = instrument_ids
        self._save = save
        self._thread = ThreadPoolExecutor(1, "ticks")

    async def deliver(self, batch: Sequence[StoredItem]) -> None:
        rows = Rows()
        for item in batch:
            try:
                self._put(rows, item)
            except NotStorableError as error:
                TICKS_NOT_STORABLE.labels(item.told.symbol).inc()
                logger.warning("tick_not_storable", symbol=item.told.symbol, error=str(error))
        await asyncio.get_running_loop().run_in_executor(self._thread, self._save, rows)

    def _put(self, rows: Rows, item: StoredItem) -> None:
        feed_id, told, _ = item
        instrument_id = self._ids[told.symbol]
        if isinstance(told, Quote):
            rows.quotes.append(_quote_row(instrument_id, item))
        elif isinstance(told, Trade):
            rows.trades.append(_trade_row(instrument_id, feed_id, told))
        else:
            rows.seconds.append(second_row(instrument_id, feed_id, told))


def _quote_row(instrument_id: int, item: StoredItem) -> QuoteRow:
    quote = item.told
    assert isinstance(quote, Quote), "the caller has looked"
    bid, bid_size = quote.bids[0] if quote.bids else EMPTY
    ask, ask_size = quote.asks[0] if quote.asks else EMPTY
    return QuoteRow(
        instrument_id,
        quote.t_ns,
        item.number,
        to_e8(bid),
        to_e8(bid_size),
        to_e8(ask),
        to_e8(ask_size),
        item.feed_id,
    )


def _trade_row(instrument_id: int, feed_id: int, trade: Trade) -> TradeRow:
    return TradeRow(
        instrument_id,
        trade.t_ns,
        trade.trade_id,
        to_e8(trade.price),
        to_e8(trade.size),
        SIDES[trade.side],
        feed_id,
        int(trade.flags),
        trade.exchange,
    )
