"""What the dialect tells of a market beside its prices: halts and resumptions, and price bands.

Pure. The sockets' channels `statuses` and `lulds` are made of it (marketdata/consumers/news.py).
"""

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, NamedTuple

from marketdata.domain.dialect import TAPE, Fields
from marketdata.domain.market_states import MarketState

BPS: Final = 10_000

_STATUSES: Final = {
    MarketState.OPEN: ("T", "Trading Resumption", "", ""),
    MarketState.HALTED: ("H", "Trading Halt", "", ""),
    MarketState.AUCTION: ("P", "Trading Pause", "", "Orders wait for an auction"),
    MarketState.POST_ONLY: ("Q", "Quotation Resumption", "", "Orders may rest, none may take"),
    MarketState.CANCEL_ONLY: ("H", "Trading Halt", "", "Orders may be canceled only"),
    MarketState.CLOSED: ("C", "Market Closed", "", "Outside of the venue's sessions"),
}
"""Status code and message, reason code and message. `C` is ours: the tape has no such code."""

_VOLATILITY: Final = ("LUDP", "Volatility Trading Pause")


def status_fields(state: MarketState, at: datetime, *, is_volatility_pause: bool) -> Fields:
    """A market's new state in the dialect; `state` is ours and tells it exactly."""
    code, message, reason, explanation = _STATUSES[state]
    if is_volatility_pause:
        reason, explanation = _VOLATILITY
    return {
        "sc": code,
        "sm": message,
        "rc": reason,
        "rm": explanation,
        "t": at,
        "z": TAPE,
        "state": state.value,
    }


class PriceBand(NamedTuple):
    """Where trades may happen while a window lasts: around `reference`, which began it `at`."""

    reference: Decimal
    band_bps: int
    tick_size: Decimal
    at: datetime

    @property
    def lowest(self) -> Decimal:
        """The lowest price inside, rounded up to the tick (V3)."""
        return self._edge(BPS - self.band_bps, ROUND_CEILING)

    @property
    def highest(self) -> Decimal:
        """The highest price inside, rounded down to the tick (V3)."""
        return self._edge(BPS + self.band_bps, ROUND_FLOOR)

    def _edge(self, bps: int, rounding: str) -> Decimal:
        ticks = self.reference * bps / BPS / self.tick_size
        return ticks.to_integral_value(rounding) * self.tick_size


def band_fields(band: PriceBand) -> Fields:
    """A band in the dialect: limit up and limit down. `i` (who is at a limit) is always `B`."""
    return {"u": band.highest, "d": band.lowest, "i": "B", "t": band.at, "z": TAPE}


class StateChange:
    """Follows the states of one market. What it is at the beginning is no change."""

    def __init__(self) -> None:
        self._state: MarketState | None = None

    def take(self, state: MarketState) -> bool:
        """Whether the market has just changed to `state`."""
        before, self._state = self._state, state
        return before is not None and before is not state


class DayBarPace:
    """How often the running day is told: with the first bar of each minute, and when it closes."""

    def __init__(self) -> None:
        self._minute: datetime | None = None

    def is_due(self, now: datetime, *, is_closed: bool) -> bool:
        minute = now.replace(second=0, microsecond=0)
        is_new = minute != self._minute
        self._minute = minute
        return is_new or is_closed
