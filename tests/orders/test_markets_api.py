"""Market states, bands and plans over the API: docs/market-states.md X3, X11, X13, V1."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from accounts.domain.api_keys import Scope
from accounts.models import User
from core.domain.clock import SystemClock
from core.models import AuditEntry, Event
from marketdata.models import Instrument
from orders.models import MarketPlan
from orders.services.market_plans import tell_market_plans
from portfolio.models import TradingAccount
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_an_operator_halts_plans_and_sets_bands(
    engine: EngineProcess,
    desk: Desk,
    http_for: Callable[..., httpx.Client],
    make_user: Callable[..., User],
) -> None:
    make_user("olga", role="operator")
    olga, alice = http_for("olga", Scope.RISK), http_for("alice")
    desk.place(engine, "alice", "BUY 5 @ 90")

    # A halt by hand is in force, audited, and an event of the house and of whom it concerns.
    halted = olga.post(
        "/api/v1/markets/state", json={"symbol": "AAPL", "state": "halted", "reason": "news"}
    )
    assert (halted.status_code, halted.json()["state"]) == (200, "halted")
    assert desk.place(engine, "alice", "BUY 1 @ 90") == "INSTRUMENT_HALTED"
    told = Event.objects.filter(kind="MarketStateChanged").order_by("id")
    house, alices = TradingAccount.objects.get(kind="HOUSE").pk, desk.accounts["alice"].pk
    assert list(told.values_list("account_id", flat=True)) == [house, alices]
    assert told[1].payload["market_state"] == {
        "symbol": "AAPL", "state": "HALTED", "until": None, "reason": "news",
    }  # fmt: skip
    entry = AuditEntry.objects.get(action="InstrumentHalted")
    assert (entry.actor and entry.actor.username, entry.reason) == ("olga", "news")

    # A band is set in part; everybody with a key reads it.
    banded = olga.post(
        "/api/v1/markets/bands",
        json={"symbol": "AAPL", "volatility_bps": 100, "pause_state": "halted", "reason": "thin"},
    )
    assert banded.status_code == 200
    (apple,) = [
        market for market in alice.get("/api/v1/markets").json()["markets"]
        if market["symbol"] == "AAPL"
    ]  # fmt: skip
    assert apple == {
        "symbol": "AAPL", "state": "halted", "set_state": "halted", "paused_until": None,
        "market_band_bps": 500, "volatility_bps": 100, "window_seconds": 300,
        "pause_state": "halted", "pause_seconds": 120,
    }  # fmt: skip

    # A plan is made, told by the schedule, listed and withdrawn, once.
    begins = SystemClock().now() + timedelta(hours=1)
    plan = {
        "symbol": "AAPL", "state": "auction", "from_at": begins.isoformat(),
        "until_at": (begins + timedelta(hours=1)).isoformat(), "reason": "a split",
    }  # fmt: skip
    made = olga.post("/api/v1/markets/plans", json=plan)
    assert (made.status_code, made.json()["status"]) == (201, "planned")
    assert tell_market_plans(SystemClock().now()) == 1
    (known,) = alice.get("/api/v1/markets/plans?symbol=AAPL&status=known").json()["plans"]
    assert (known["id"], known["state"], known["reason"]) == (
        made.json()["id"], "auction", "a split",
    )  # fmt: skip
    path = f"/api/v1/markets/plans/{known['id']}/withdraw"
    withdrawn = olga.post(path, json={"reason": "no split"})
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "withdrawn")
    assert olga.post(path, json={"reason": "again"}).status_code == 409
    actions = AuditEntry.objects.filter(action__startswith="Market").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "MarketStatePlanned", "MarketPlanWithdrawn",
    ]  # fmt: skip

    # What cannot be read, is not there or is not allowed changes nothing.
    assert refusals(olga, alice, plan) == {
        "no state": (422, "FIELD_INVALID"),
        "closed": (422, "FIELD_INVALID"),
        "no symbol": (404, "NOT_FOUND"),
        "no reason": (422, "FIELD_INVALID"),
        "too wide": (422, "FIELD_INVALID"),
        "no number": (422, "FIELD_INVALID"),
        "nothing": (422, "FIELD_INVALID"),
        "unknown field": (400, "FIELD_UNKNOWN"),
        "ends before": (422, "FIELD_INVALID"),
        "no zone": (422, "FIELD_INVALID"),
        "no plan": (404, "NOT_FOUND"),
        "no status": (422, "FIELD_INVALID"),
        "a trader": (403, "NOT_PERMITTED"),
    }
    assert MarketPlan.objects.count() == 1
    assert Instrument.objects.get(symbol="AAPL").set_status == "HALTED"
    assert_clean()


def refusals(
    olga: httpx.Client, alice: httpx.Client, plan: dict[str, str]
) -> dict[str, tuple[int, str]]:
    """Each kind of no, by what is wrong."""
    state = {"symbol": "AAPL", "state": "open", "reason": "a reason"}
    band = {"symbol": "AAPL", "reason": "a reason"}
    base = "/api/v1/markets"
    answers = {
        "no state": olga.post(f"{base}/state", json={**state, "state": "shut"}),
        "closed": olga.post(f"{base}/state", json={**state, "state": "closed"}),
        "no symbol": olga.post(f"{base}/state", json={**state, "symbol": "NONE"}),
        "no reason": olga.post(f"{base}/state", json={**state, "reason": " "}),
        "too wide": olga.post(f"{base}/bands", json={**band, "volatility_bps": 10_000}),
        "no number": olga.post(f"{base}/bands", json={**band, "window_seconds": True}),
        "nothing": olga.post(f"{base}/bands", json=band),
        "unknown field": olga.post(f"{base}/bands", json={**band, "bps": 1}),
        "ends before": olga.post(f"{base}/plans", json={**plan, "until_at": plan["from_at"]}),
        "no zone": olga.post(f"{base}/plans", json={**plan, "from_at": "2030-01-31T12:00:00"}),
        "no plan": olga.post(f"{base}/plans/999999/withdraw", json={"reason": "a reason"}),
        "no status": olga.get(f"{base}/plans?status=late"),
        "a trader": alice.post(f"{base}/state", json=state),
    }
    return {name: (answer.status_code, answer.json()["reason"]) for name, answer in answers.items()}
