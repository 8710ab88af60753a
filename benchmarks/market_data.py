"""Where the real market data lies that some benchmarks and tests want: not in the repository."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
NO_DATA = (
    "skipped: there is no market data; PORTAL_MARKET_DATA names the folder that holds `lean`,"
    " otherwise ../shared/data beside the checkout is looked for"
)


def market_data() -> Path | None:
    """The folder that holds `lean`; None when there is none."""
    given = os.environ.get("PORTAL_MARKET_DATA")
    folder = Path(given) if given else PROJECT.parent / "shared" / "data"
    return folder if (folder / "lean").is_dir() else None
