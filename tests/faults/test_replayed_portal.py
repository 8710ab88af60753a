"""A portal on a folder of recorded days, started by the documented commands: the real processes
draw the recording's minutes exactly, and another folder is followed when it is configured.
"""

import shutil
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.faults.programs import wait_until
from tests.live_portal import LivePortal
from tests.marketdata.lean_files import lean_folder, write_zip

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]
FIRST_DAY = ("34200000,10000,100,Q,1,0", "34201000,10100,100,Q,1,0")
PRICES = {48.01, 48.02, 48.05, 47.0}
"""Of the prints of tests/marketdata/lean_files.py that are no suspicious ones."""
MINUTE = (48.01, 48.01, 48.01, 48.01, 300, 2, 48.01666667)
"""Of 9:30, both prints at one moment: the sweep at 48.02 counts as volume and draws nothing. The
next print comes hours later.
"""
Json = dict[str, Any]  # Any: JSON


@pytest.fixture(scope="module")
def folders() -> Iterator[tuple[Path, Path, Path]]:
    """Where the portal lives, a folder with a day of IBM, and one with a day of AIG."""
    root = Path(tempfile.mkdtemp(prefix="portal-replaying-"))
    root.chmod(0o711)  # the database server's own user passes through, when we are root
    write_zip(root / "first/equity/usa/tick/gm/20131007_trade.zip", FIRST_DAY)
    lean_folder(root / "second")
    yield root / "data", root / "first", root / "second"
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def replaying(folders: tuple[Path, Path, Path]) -> Iterator[LivePortal]:
    """Started on the first folder, stopped, and started on the second."""
    data, first, second = folders
    LivePortal(data, {"PORTAL_REPLAY_FOLDER": str(first)}).start("--market", "replay")
    LivePortal(data, {"PORTAL_REPLAY_FOLDER": str(first)}).stop()
    portal = LivePortal(data, {"PORTAL_REPLAY_FOLDER": str(second)})
    portal.start("--market", "replay")
    try:
        yield portal
    finally:
        portal.stop()


@pytest.fixture(scope="module")
def api(replaying: LivePortal) -> Iterator[httpx.Client]:
    replaying.create_trader("alice-replays")
    key = replaying.create_key("alice-replays", "read")
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    with httpx.Client(base_url=replaying.url, headers=headers, timeout=30) as client:
        yield client


def minutes_of(api: httpx.Client) -> list[tuple[Any, ...]]:
    answer = api.get("/v2/stocks/bars", params={"symbols": "AIG", "timeframe": "1Min"})
    bars = answer.json()["bars"].get("AIG", [])
    return [tuple(bar[name] for name in ("o", "h", "l", "c", "v", "n", "vw")) for bar in bars]


def stored(portal: LivePortal) -> list[tuple[Any, ...]]:
    with psycopg.connect(portal.database_url) as connection:
        return connection.execute(
            "SELECT open, high, low, close, volume, trade_count, vwap, source FROM marketdata_bar"
            " JOIN marketdata_instrument i ON i.id = instrument_id"
            " WHERE symbol = 'AIG' AND timeframe = '1Min'"
        ).fetchall()


def newest_trade(api: httpx.Client) -> Json | None:
    answer = api.get("/v2/stocks/AIG/trades/latest")
    return None if answer.status_code == 404 else dict(answer.json()["trade"])


def test_recording_is_told_as_if_it_happened_now(replaying: LivePortal, api: httpx.Client) -> None:
    wait_until(lambda: newest_trade(api) is not None, "the recording is told")

    told = newest_trade(api)

    assert told is not None
    assert (told["p"] in PRICES, told["feed"]) == (True, "replay")
    assert told["t"] > "2026"
    # The other folder's instrument stays, and follows nothing.
    assert '"GM"' not in replaying.manage("feed", "list", "--json")


def test_recorded_minute_is_drawn_stored_and_served_exactly(
    replaying: LivePortal, api: httpx.Client
) -> None:
    wait_until(lambda: stored(replaying) != [], "the minute is stored")

    price = Decimal("48.01")
    assert stored(replaying) == [
        (price, price, price, price, 300, 2, Decimal("48.01666667"), "replay")
    ]
    assert minutes_of(api) == [MINUTE]
