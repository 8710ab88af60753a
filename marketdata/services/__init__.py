"""What changes market data: seeding the demo market, keeping bars and ticks."""

from marketdata.services.bars import resumed_bars, save_bars, save_feed_bars
from marketdata.services.replay_seeding import seed_replay
from marketdata.services.seeding import seed_market
from marketdata.services.ticks import save_quotes, save_seconds, save_trades

__all__ = [
    "resumed_bars",
    "save_bars",
    "save_feed_bars",
    "save_quotes",
    "save_seconds",
    "save_trades",
    "seed_market",
    "seed_replay",
]
