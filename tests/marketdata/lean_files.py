"""Hand-made folders in LEAN's layout, and where the real ones are found."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.market_data import NO_DATA, market_data

TRADES = (
    "34200000,480100,100,Q,1,0",
    "34200000,480200,200,N,20,0",  # an intermarket sweep draws no price
    "34200500,480300,300,D,1,1",  # suspicious
    "34201000,0,300,D,1,0",  # no price
    "57600000,480500,5000,N,80,0",  # the closing print
    "70000000,470000,100,P,20002020,0",  # extended hours
)
QUOTES = (
    "34200000,0,0,480200,300,Q,1,0",
    "34200001,480100,200,0,0,P,1,0",
    "34200002,0,0,480000,400,P,1,0",  # crossed
    "34200003,480100,100,480300,100,P,1,1",  # suspicious
    "72000000,479900,100,0,0,P,1,0",  # 20:00 in New York: the next UTC day
)


def write_zip(path: Path, lines: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}.csv", "\n".join(lines) + "\n")
    return path


def lean_folder(root: Path) -> Path:
    """A folder of equities with a day of trades and quotes of AIG."""
    folder = root / "equity" / "usa"
    write_zip(folder / "tick/aig/20131007_trade.zip", TRADES)
    write_zip(folder / "tick/aig/20131007_quote.zip", QUOTES)
    return folder


def real_folder() -> Path:
    """The real folder of equities; skips the test where there is none."""
    folder = market_data()
    if folder is None:
        pytest.skip(NO_DATA)
    return folder / "lean" / "equity" / "usa"
