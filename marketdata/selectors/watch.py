"""What a watchlist shows of every instrument: newest quote and price, and the close to measure
change from.

Two statements and two cache reads whatever the number of instruments. A lost cache costs the
live columns, never the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import DateTimeField, F, Func, Value

from marketdata.domain.dialect import BarWire, QuoteWire
from marketdata.models import Bar, Instrument
from marketdata.selectors.instruments import tradable_instruments
from marketdata.selectors.live import (
    LiveDataUnavailableError,
    latest_bars,
    latest_quotes,
)

PERCENT_STEP = Decimal("0.01")
LOOK_BACK = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One instrument with what is known of its market now; None where nothing is known."""

    instrument: Instrument
    quote: QuoteWire | None
    last: Decimal | None
    previous_close: Decimal | None

    @property
    def change_percent(self) -> Decimal | None:
        """The change since the previous day's close, two digits, half away from zero."""
        if self.last is None or not self.previous_close:
            return None
        change = (self.last - self.previous_close) / self.previous_close * 100
        return change.quantize(PERCENT_STEP, rounding=ROUND_HALF_UP)


def watch_rows(now: datetime, chosen: Sequence[Instrument] | None = None) -> list[WatchRow]:
    """The chosen instruments in their order, or every one by symbol, as of `now`."""
    instruments = list(tradable_instruments() if chosen is None else chosen)
    symbols = [instrument.symbol for instrument in instruments]
    quotes, bars = _live(symbols)
    closes = previous_closes(now, chosen)
    return [
        WatchRow(
            instrument=instrument,
            quote=quotes.get(instrument.symbol),
            last=bars[instrument.symbol].c
            if instrument.symbol in bars
            else closes.get(instrument.pk),
            previous_close=closes.get(instrument.pk),
        )
        for instrument in instruments
    ]


def _live(symbols: Sequence[str]) -> tuple[dict[str, QuoteWire], dict[str, BarWire]]:
    try:
        return latest_quotes(symbols), latest_bars(symbols)
    except LiveDataUnavailableError:
        return {}, {}


def previous_closes(
    now: datetime, chosen: Sequence[Instrument] | None = None
) -> dict[int, Decimal]:
    """The close of each instrument's last daily bar before today, by its venue's time zone; of the
    chosen ones, or of all.
    """
    today = Func(
        Value("day"),
        Value(now, output_field=DateTimeField()),
        F("instrument__venue__time_zone"),
        function="date_trunc",
        output_field=DateTimeField(),
    )
    bars = Bar.objects.filter(
        timeframe=Bar.Timeframe.DAY, start__gte=now - LOOK_BACK, start__lt=today
    )
    if chosen is not None:
        bars = bars.filter(instrument__in=[instrument.pk for instrument in chosen])
    newest = bars.order_by("instrument_id", "-start").distinct("instrument_id")
    return dict(newest.values_list("instrument_id", "close"))
