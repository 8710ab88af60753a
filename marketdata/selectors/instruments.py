"""Which instruments there are, by any name a client may use for them."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Replace

from marketdata.domain.demo import SOURCE_FEED
from marketdata.domain.market_states import MarketState
from marketdata.domain.plan import FeedInstrument
from marketdata.domain.values import Grid
from marketdata.models import Bar, FeedRoute, Instrument


def tradable_instruments() -> QuerySet[Instrument]:
    """Every instrument that orders may name, halted ones included (their status says so), by
    symbol.
    """
    return Instrument.objects.select_related("venue", "base_currency", "quote_currency").order_by(
        "symbol", "pk"
    )


def compressed(symbol: str) -> str:
    """A symbol without the slash of a currency pair: `BTC/USD` and `BTCUSD` name one instrument."""
    return symbol.replace("/", "")


def instrument_by_symbol(symbol: str) -> Instrument | None:
    """The instrument named `symbol`; a currency pair may be written with or without its slash."""
    found = tradable_instruments().filter(symbol=symbol).first()
    if found is not None or "/" in symbol:
        return found
    pairs = tradable_instruments().filter(
        asset_class=Instrument.AssetClass.CRYPTO, symbol__startswith=symbol[:1]
    )
    return next((pair for pair in pairs if compressed(pair.symbol) == symbol), None)


def instruments_named(names: Collection[str], asset_class: str) -> list[Instrument]:
    """The instruments of a class that `names` name, by symbol; pairs also without their slash."""
    of_class = tradable_instruments().filter(asset_class=asset_class)
    if asset_class != Instrument.AssetClass.CRYPTO:
        return list(of_class.filter(symbol__in=names))
    without_slash = of_class.annotate(compressed=Replace("symbol", Value("/"), Value("")))
    return list(without_slash.filter(Q(symbol__in=names) | Q(compressed__in=names)))


def symbols_named(names: Collection[str]) -> list[str]:
    """The symbols of what `names` name, of any class; pairs also without their slash."""
    wanted = set(names)
    symbols = Instrument.objects.order_by("symbol").values_list("symbol", flat=True)
    return [name for name in symbols if name in wanted or compressed(name) in wanted]


def instrument_by_public_id(public_id: UUID) -> Instrument | None:
    return tradable_instruments().filter(public_id=public_id).first()


def halted_symbols() -> frozenset[str]:
    """The instruments that stand still: the feed sends nothing for them."""
    return frozenset(
        Instrument.objects.filter(status=MarketState.HALTED)
        .order_by("pk")
        .values_list("symbol", flat=True)
    )


def grid_of(instrument: Instrument) -> Grid:
    """The instrument's steps as feeds and the simulator take them."""
    return Grid(
        symbol=instrument.symbol,
        tick_size=instrument.tick_size,
        lot_size=instrument.lot_size,
        is_crypto=instrument.asset_class == Instrument.AssetClass.CRYPTO,
    )


def feed_instruments(feed: str) -> list[FeedInstrument]:
    """The instruments that may follow `feed`, each with its name there and the price at which it
    was left (None of an instrument without any bar).
    """
    routes = (
        FeedRoute.objects.filter(feed__name=feed)
        .select_related("instrument")
        .order_by("instrument__symbol", "pk")
    )
    found: list[FeedInstrument] = []
    for route in routes:
        bars = Bar.objects.filter(instrument=route.instrument)
        last = bars.filter(timeframe=Bar.Timeframe.MINUTE).order_by("-start", "-pk").first()
        history = bars.filter(timeframe=Bar.Timeframe.DAY).exclude(source=SOURCE_FEED)
        reference = history.order_by("-start", "-pk").first() or last
        last = last or reference
        found.append(
            FeedInstrument(
                grid_of(route.instrument),
                None if last is None else last.close,
                None if reference is None else reference.close,
                route.symbol_there,
            )
        )
    return found
