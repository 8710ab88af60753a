"""Trades and quotes of the past, from the store and, for the newest trades, the live cache."""

from collections.abc import Mapping, Sequence

from marketdata.api.paging import Fetch, Row, Span
from marketdata.domain.dialect import QuoteWire, TradeWire, quote_fields, trade_fields
from marketdata.domain.joining import STORE_LAG, has_hole, joined
from marketdata.feeds.publisher import RECENT_TRADES
from marketdata.models import Instrument
from marketdata.selectors import (
    QuoteView,
    TradeView,
    feed_names,
    quotes_in,
    recent_trades,
    trades_in,
)

_SIDES = {1: "BUY", -1: "SELL", 0: None}


def trade_fetcher() -> Fetch:
    """Trades in the dialect. The newest come from the live cache until the store has them; when it
    does not reach back to what is stored, they wait for the store, so that no page has a hole.
    """
    feeds = feed_names()

    def fetch(instrument: Instrument, span: Span, limit: int) -> list[Row]:
        is_crypto = instrument.asset_class == Instrument.AssetClass.CRYPTO
        recent = recent_trades(instrument.symbol)  # first: see domain/joining.py
        views = trades_in(instrument.pk, span.start, span.end, limit, span.newest_first, span.after)
        stored = [_stored_trade(view, feeds) for view in views]
        trades = joined(stored, _usable(recent, stored, instrument, span))
        if span.newest_first:
            trades.reverse()
        return [
            Row(trade.t, trade.id, trade_fields(trade, is_crypto=is_crypto))
            for trade in trades[:limit]
        ]

    return fetch


def quote_fetcher() -> Fetch:
    """Stored quotes in the dialect."""
    feeds = feed_names()

    def fetch(instrument: Instrument, span: Span, limit: int) -> list[Row]:
        is_crypto = instrument.asset_class == Instrument.AssetClass.CRYPTO
        views = quotes_in(instrument.pk, span.start, span.end, limit, span.newest_first, span.after)
        return [
            Row(view.at, view.number, quote_fields(_quote(view, feeds), is_crypto=is_crypto))
            for view in views
        ]

    return fetch


def _usable(
    recent: Sequence[TradeWire], stored: Sequence[TradeWire], instrument: Instrument, span: Span
) -> list[TradeWire]:
    """The cached trades of the span, unless the store is still on its way to them."""
    inside = [trade for trade in recent if span.holds(trade.t, trade.id)]
    if not inside or len(recent) < RECENT_TRADES:
        return inside
    oldest = recent[-1].t
    if any(trade.t >= oldest for trade in stored):
        return inside
    newest = trades_in(instrument.pk, oldest - STORE_LAG, recent[0].t, 1, newest_first=True)
    return [] if has_hole(newest[0].at if newest else None, oldest) else inside


def _stored_trade(view: TradeView, feeds: Mapping[int, str]) -> TradeWire:
    return TradeWire(
        id=view.number,
        price=view.price,
        size=view.size,
        side=_SIDES[view.side],
        t=view.at,
        feed=feeds.get(view.feed_id, ""),
        flags=view.flags,
        exchange=view.exchange,
    )


def _quote(view: QuoteView, feeds: Mapping[int, str]) -> QuoteWire:
    return QuoteWire(
        bid=view.bid,
        bid_size=view.bid_size,
        ask=view.ask,
        ask_size=view.ask_size,
        t=view.at,
        feed=feeds.get(view.feed_id, ""),
    )
