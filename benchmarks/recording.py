"""A recorded day to replay: the real one where there is one, else a made one like it."""

import os
import zipfile
from decimal import Decimal
from pathlib import Path
from random import Random

REAL = Path("equity/usa/tick/aig/20131007_quote.zip")
BESIDE = Path(__file__).parents[2] / "shared" / "data"
SYMBOL_THERE = "aig"
QUOTES = 400_000
QUOTES_A_TRADE = 43
"""As on the real day: 1.08 million quotes, 25,351 trades."""
OPENS_MS, CLOSES_MS = 34_200_000, 57_600_000
SEED = 7


def recorded_folder(scratch: Path) -> tuple[Path, str]:
    """A folder in LEAN's layout with a day of `aig` in it, and what it is."""
    folder = Path(os.environ.get("PORTAL_MARKET_DATA", str(BESIDE))) / "lean"
    if (folder / REAL).exists():
        return folder, "AIG on 2013-10-07: 1,079,935 quotes, 25,351 trades"
    _make(scratch)
    return scratch, f"a made day of {QUOTES:,} quotes and {QUOTES // QUOTES_A_TRADE:,} trades"


def _make(folder: Path) -> None:
    """A walk by ticks; each quote tells one side, as those of real exchanges do."""
    random = Random(SEED)  # noqa: S311 - a market, not a secret
    quotes: list[str] = []
    trades: list[str] = []
    middle = 489_000
    for number in range(QUOTES):
        at = OPENS_MS + (CLOSES_MS - OPENS_MS) * number // QUOTES
        middle += random.choice((-100, 0, 0, 0, 0, 100))
        size = 100 * random.randint(1, 30)
        side = f"{middle - 100},{size},0,0" if number % 2 else f"0,0,{middle},{size}"
        quotes.append(f"{at},{side},N,1,0")
        if number % QUOTES_A_TRADE == 1:
            trades.append(f"{at},{Decimal(middle)},{size},N,1,0")
    target = (folder / REAL).parent
    target.mkdir(parents=True)
    for name, lines in (("quote", quotes), ("trade", trades)):
        with zipfile.ZipFile(target / f"20131007_{name}.zip", "w") as archive:
            archive.writestr(f"{name}.csv", "\n".join(lines) + "\n")
