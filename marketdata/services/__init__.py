"""What changes market data: seeding the demo market and keeping bars."""

from marketdata.services.bars import resumed_bars, save_bars, save_feed_bars
from marketdata.services.seeding import seed_market

__all__ = ["resumed_bars", "save_bars", "save_feed_bars", "seed_market"]
