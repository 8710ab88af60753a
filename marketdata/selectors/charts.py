"""What a chart is made of beyond its own bars: the bars before them, and a person's formulas."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from marketdata.domain.timeframes import Timeframe
from marketdata.models import Formula, Instrument
from marketdata.selectors import CHART_LIMIT, BarView, BarWindow, bars_for_chart, bars_in

LONGEST_HOLE: Final = timedelta(days=7)
"""As for the chart's own bars: a week without trading is looked across."""
INSTANT: Final = timedelta(microseconds=1)


def bars_with_history(
    instrument: Instrument, timeframe: Timeframe, count: int, now: datetime
) -> list[BarView]:
    """The newest `count` bars until `now`, oldest first: more than a chart may show."""
    bars = bars_for_chart(instrument, timeframe, min(count, CHART_LIMIT), now)
    missing = count - len(bars)
    # One less: the bar that has just begun may have no trade yet.
    if count <= CHART_LIMIT or len(bars) < CHART_LIMIT - 1:
        return bars
    first = bars[0].start
    # As dense as what is there already, with room for a hole.
    look_back = (bars[-1].start - first) * missing / len(bars) * 2 + LONGEST_HOLE
    window = BarWindow(timeframe, first - look_back, first - INSTANT, missing, newest_first=True)
    return [*bars_in(instrument.pk, window)[::-1], *bars]


def ends_at(bar: BarView, timeframe: Timeframe) -> datetime:
    """When the bar is over, at the latest."""
    return bar.start + timeframe.length


def formulas_of(owner: User) -> QuerySet[Formula]:
    """A person's own formulas by name; nobody sees another's."""
    return Formula.objects.filter(owner=owner).order_by("name", "pk")


def formula_of(owner: User, asked: str) -> Formula | None:
    """The formula of `owner` that `asked` names, by its id or its name."""
    try:
        found = formulas_of(owner).filter(pk=UUID(asked)).first()
    except ValueError:
        found = None
    return found or formulas_of(owner).filter(name=asked).first()
