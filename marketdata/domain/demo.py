"""The instruments of the demo market: which they are and at what price the simulation starts.

The equities' daily history is real and re-dated (public-domain bars of `bokeh_sampledata`);
everything else about them, and all of crypto, is simulated and labelled so.
"""

from dataclasses import dataclass
from decimal import Decimal

SIMULATED_VENUE = "SIM"
SIMULATED_FEED = "simulated"
SOURCE_REDATED = "bokeh_sampledata, re-dated"
SOURCE_HISTORY = "simulated history"
SOURCE_FEED = "simulated"


@dataclass(frozen=True, slots=True)
class DemoInstrument:
    """`start_price` is None where history decides it (its last close)."""

    symbol: str
    name: str
    base_currency: str | None
    lot_size: Decimal
    min_notional: Decimal
    start_price: Decimal | None = None
    tick_size: Decimal = Decimal("0.01")

    @property
    def is_crypto(self) -> bool:
        return self.base_currency is not None


def _equity(symbol: str, name: str) -> DemoInstrument:
    return DemoInstrument(symbol, name, None, lot_size=Decimal(1), min_notional=Decimal(0))


DEMO_INSTRUMENTS = (
    _equity("AAPL", "Apple Inc. (simulated)"),
    _equity("FB", "Facebook, Inc. (simulated)"),
    _equity("GOOG", "Google Inc. (simulated)"),
    _equity("IBM", "International Business Machines (simulated)"),
    _equity("MSFT", "Microsoft Corporation (simulated)"),
    DemoInstrument(
        "BTC/USD",
        "Bitcoin / US dollar (simulated)",
        "BTC",
        lot_size=Decimal("0.0001"),
        min_notional=Decimal(1),
        start_price=Decimal("64250"),
    ),
    DemoInstrument(
        "ETH/USD",
        "Ether / US dollar (simulated)",
        "ETH",
        lot_size=Decimal("0.001"),
        min_notional=Decimal(1),
        start_price=Decimal("3180"),
    ),
)

DEMO_CURRENCIES = (("USD", "US dollar", 2), ("BTC", "Bitcoin", 8), ("ETH", "Ether", 8))
