"""Who took liquidity in a trade whose source does not say: the quote rule, then the tick test.

Only the engine is told what is inferred here (its street needs a side); what is published and
stored keeps None, for nobody knows.
"""

from decimal import Decimal

from marketdata.domain.values import Aggressor, Quote, Trade


class AggressorRule:
    """Remembers each instrument's newest quote and price. A print at or above the ask was bought,
    one at or below the bid sold; between them it goes as the price went last.
    """

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._prices: dict[str, tuple[Decimal, Aggressor | None]] = {}

    def see(self, quote: Quote) -> None:
        self._quotes[quote.symbol] = quote

    def infer(self, trade: Trade) -> Aggressor | None:
        """The trade's aggressor, told or inferred; None when nothing tells."""
        last, went = self._prices.get(trade.symbol, (None, None))
        if last is not None and trade.price != last:
            went = Aggressor.BUY if trade.price > last else Aggressor.SELL
        self._prices[trade.symbol] = (trade.price, went)
        if trade.side is not None:
            return trade.side
        quote = self._quotes.get(trade.symbol)
        if quote is not None:
            if quote.asks and trade.price >= quote.asks[0].price:
                return Aggressor.BUY
            if quote.bids and trade.price <= quote.bids[0].price:
                return Aggressor.SELL
        return went
