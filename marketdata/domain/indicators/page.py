"""Writes docs/indicators.md from the catalogue.

Run `python -m marketdata.domain.indicators.page` after a change; a test compares the two.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from marketdata.domain.indicators.catalogue import (
    CATALOGUE,
    MA_TYPES,
    MAX_PERIOD,
    Indicator,
    Kind,
    Parameter,
)
from marketdata.domain.indicators.columns import SOURCES
from marketdata.domain.indicators.computing import CUMULATIVE, MAX_WARM_UP, SETTLING

PATH: Final = Path(__file__).resolve().parents[3] / "docs" / "indicators.md"

_AVERAGES: Final = ", ".join(f"{number} {name}" for number, name in MA_TYPES.items())
HEAD: Final = f"""\
# Indicators

This page is made from the code: `python -m marketdata.domain.indicators.page`.

Every function of TA-Lib by its name: `SMA(20)`, `RSI(timeperiod=14)`, `MACD(12,26,9)`,
`BBANDS(20,nbdevup=2.5,price=hl2)`. Parameters stand in the order of the table or by name; what is
left out has its default. An input that may be chosen is named like a parameter and takes one of
{", ".join(f"`{source}`" for source in SOURCES)}.
The terminal's chart, `GET /api/v1/charts` and [formulas](formulas.md) draw them;
`GET /api/v1/indicators` tells this list to programs.

- A value is a statistic: a float, rounded to eight decimals; null where there is none (too few
  bars before, or a division by zero).
- Bars before the first shown one are read so that its value is right: as many as TA-Lib looks
  back, and {SETTLING} lengths more where an average remembers all bars before (what is left of
  them then is below two billionths). More than {MAX_WARM_UP:,} are not read: an average longer than
  a hundred bars has not quite settled.
- *runs on* marks running totals: they count from {CUMULATIVE} bars or more before the first shown
  one. Their steps mean something, their level does not. `VWAP` is one: it does not begin anew with
  a session.
- `MAXINDEX`, `MININDEX` and `MINMAXINDEX` tell how many bars ago it was.
- Averages (`matype`): {_AVERAGES}.
- A whole number spans {MAX_PERIOD:,} bars at most; the table tells from how many.
- The last bar's values follow it while it grows.
"""


def page() -> str:
    """The whole page."""
    by_group = sorted(CATALOGUE.values(), key=lambda each: (each.group, each.name))
    lines = [HEAD]
    for group, members in groupby(by_group, key=lambda each: each.group):
        lines += [f"## {group}", ""]
        lines += ["| name | | reads | parameters | draws | where |", "|---|---|---|---|---|---|"]
        lines += [*map(_row, members), ""]
    return "\n".join(lines)


def _row(indicator: Indicator) -> str:
    reads = ", ".join(
        f"{each.name}={each.source}" if each.is_choice else each.source for each in indicator.inputs
    )
    where = "price" if indicator.is_overlay else "own pane"
    where += ", runs on" if indicator.is_cumulative else ""
    cells = (
        f"`{indicator.name}`",
        indicator.title,
        reads,
        ", ".join(_parameters(indicator.parameters)),
        ", ".join(output.name for output in indicator.outputs),
        where,
    )
    return f"| {' | '.join(cells)} |"


def _parameters(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    for each in parameters:
        is_usual = each.kind is Kind.INTEGER and each.highest == MAX_PERIOD
        limits = f"from {each.lowest}" if is_usual else f"{each.lowest:g} to {each.highest:g}"
        span = "" if each.kind is Kind.AVERAGE else f" ({limits})"
        yield f"{each.name} {each.default:g}{span}"


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
