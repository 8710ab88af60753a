"""How near the import of a real day's ticks comes to PostgreSQL's own COPY of the same rows.

Both sides are measured in turn, in the same rounds, each into an empty partition of the same table:
the import from the zipped file to the commit, COPY with its bytes made beforehand.
"""

import os

import msgspec

from benchmarks.market_data import NO_DATA, market_data
from benchmarks.options import Options
from benchmarks.portal import Portal
from benchmarks.processes import paused, run_child
from benchmarks.report import Row, Section, ratio

BAR = "≥ 0.5"


class ImportRounds(msgspec.Struct):
    """Rows a second of each round, both ways."""

    rows: int = 0
    crossed: int = 0
    imported: list[float] = []
    copied: list[float] = []


def measure(portal: Portal, options: Options) -> Section:
    title = "Import of tick/aig/20131007 against COPY of the same rows"
    folder = market_data()
    if folder is None:
        return Section("imports", title, [], [NO_DATA])
    with paused(portal.background()):
        output = run_child(
            "benchmarks.importing",
            str(folder),
            str(options.rounds),
            environment={**os.environ, **portal.environment},
        )
    rounds = msgspec.json.decode(output.splitlines()[-1], type=dict[str, ImportRounds])
    rows: list[Row] = []
    for name, measured in rounds.items():
        rows.append(Row(f"{name}: raw COPY", "rows/s", measured.copied))
        rows.append(Row(f"{name}: import", "rows/s", measured.imported))
        rows.append(ratio("  import ÷ COPY", measured.imported, measured.copied, BAR))
    notes = [
        f"{name}: {measured.rows:,} rows a round; {measured.crossed:,} crossed"
        for name, measured in rounds.items()
    ]
    return Section("imports", title, rows, notes)
