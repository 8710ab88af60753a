"""Collar and volatility band on the console, in the tables and over restarts (V1, V4, V6)."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from core.models import AuditEntry
from marketdata.models import Instrument
from tests.accounts.console import REASON, run, shown
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, quote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def apple() -> Instrument:
    return Instrument.objects.get(symbol="AAPL")


def test_an_operator_sets_bands_and_a_pause_outlives_a_kill(
    engine: EngineProcess, desk: Desk, make_user: Callable[..., User]
) -> None:
    console = Client()
    console.force_login(make_user("olga", role="operator"))

    nothing = run(console, Instrument, "set_bands", apple())
    done = run(
        console, Instrument, "set_bands", apple(), market_band_bps="300", volatility_bps="100",
        pause_seconds="3600",
    )  # fmt: skip
    engine.ask(quote(asks="100x1"))
    desk.place(engine, "alice", "BUY 1 @ 100")
    engine.ask(quote(asks="101x1 102x9"))
    outcome = desk.place(engine, "alice", "BUY 5 MARKET")

    assert "Nothing would change." in nothing.content.decode()
    assert shown(done)[0].endswith("the collar is now 300 bps, the volatility band 100 bps.")
    assert outcome == "CANCELED 1/5 VOLATILITY_BAND"
    entry = AuditEntry.objects.get(action="InstrumentBandsSet")
    assert (entry.reason, entry.facts["market_band_bps_before"]) == (REASON, "500")
    assert (apple().status, apple().set_status, apple().paused) == ("AUCTION", "OPEN", "AUCTION")
    engine.restart_after_kill()
    assert desk.place(engine, "alice", "BUY 1 @ 90") == "QUEUED 0/1"
    assert apple().paused == "AUCTION"
    assert_clean()


def test_a_trader_sets_no_bands(desk: Desk, make_user: Callable[..., User]) -> None:
    console = Client()
    console.force_login(make_user("adam", role="auditor"))

    run(console, Instrument, "set_bands", apple(), volatility_bps="100")

    assert apple().volatility_bps == 0
