"""Real recorded days for tests that have them: they are no part of the repository."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[3] / "shared" / "data"


def lean_folder() -> Path:
    """The folder of LEAN's sample data; skips the test where there is none."""
    folder = Path(os.environ.get("PORTAL_MARKET_DATA", str(BESIDE))) / "lean"
    if not folder.is_dir():
        pytest.skip(f"no recorded market data in {folder} (set PORTAL_MARKET_DATA)")
    return folder
