"""Planned market states on every path, with a real engine: docs/market-states.md X11 to X14."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.domain.origin import Origin
from core.models import AuditEntry, Event
from marketdata.domain.market_states import MarketState
from marketdata.models import Instrument
from orders.models import MarketPlan
from orders.services.market_plans import (
    Period,
    plan_market_state,
    tell_market_plans,
    withdraw_market_plan,
)
from portfolio.models import TradingAccount
from tests.accounts.console import address, run, shown
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

HOUR = timedelta(hours=1)


@pytest.fixture
def olga(make_user: Callable[..., User]) -> User:
    return make_user("olga", role="operator")


def plan(olga: User, begins: datetime, ends: datetime | None, state: str = "HALTED") -> MarketPlan:
    return plan_market_state(
        instrument=Instrument.objects.get(symbol="AAPL"),
        period=Period(MarketState(state), begins, ends),
        reason="a split",
        actor=olga,
        origin=Origin(now=SystemClock().now()),
    )


def status(row: MarketPlan) -> str:
    row.refresh_from_db()
    return row.status


def market() -> tuple[str, str]:
    return Instrument.objects.values_list("status", "set_status").get(symbol="AAPL")


def test_a_plan_is_told_begins_outlives_a_kill_and_is_withdrawn(
    engine: EngineProcess, desk: Desk, olga: User
) -> None:
    now = SystemClock().now()
    desk.place(engine, "alice", "BUY 5 @ 90")
    running = plan(olga, now - HOUR, now + HOUR)
    coming = plan(olga, now + HOUR, now + 2 * HOUR)

    assert tell_market_plans(now) == 2
    assert (status(running), status(coming), market()) == ("RUNNING", "KNOWN", ("HALTED", "OPEN"))
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "INSTRUMENT_HALTED"
    engine.restart_after_kill()
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "INSTRUMENT_HALTED"
    for row in (running, coming):
        origin = Origin(now=SystemClock().now(), request_id="withdrawn")
        withdraw_market_plan(plan=row, reason="not needed", actor=olga, origin=origin)

    assert (status(running), status(coming)) == ("WITHDRAWN", "WITHDRAWN")
    assert market() == ("OPEN", "OPEN")
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "ACCEPTED 0/5"
    told = Event.objects.filter(kind="MarketStateChanged").order_by("id")
    house, alice = TradingAccount.objects.get(kind="HOUSE").pk, desk.accounts["alice"].pk
    assert list(told.values_list("account_id", flat=True)) == [house, alice, house, alice]
    assert_clean()


def test_a_plan_that_is_made_and_due_while_no_engine_runs_begins_with_the_next(
    engine: EngineProcess, desk: Desk, olga: User
) -> None:
    now = SystemClock().now()
    told = plan(olga, now + timedelta(seconds=1), now + HOUR, "CANCEL_ONLY")
    tell_market_plans(now)
    engine.kill()
    made = plan(olga, now - HOUR, now + HOUR)
    with pytest.raises(Refusal):
        tell_market_plans(now)
    assert status(made) == "PLANNED"

    engine.start()
    while SystemClock().now() < told.from_at:
        desk.cancel_all(engine, "alice")
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "INSTRUMENT_CANCEL_ONLY"
    tell_market_plans(now)

    assert (status(told), status(made), market()) == ("RUNNING", "RUNNING", ("HALTED", "OPEN"))
    assert_clean()


def test_a_plan_that_the_engine_refuses_says_so(
    engine: EngineProcess, desk: Desk, olga: User
) -> None:
    now = SystemClock().now()
    late = plan(olga, now + timedelta(days=500), None)

    tell_market_plans(now)

    assert status(late) == "REFUSED"
    assert tell_market_plans(now) == 0
    with pytest.raises(Refusal, match="over already"):
        withdraw_market_plan(plan=late, reason="?", actor=olga, origin=Origin(now=now))


def test_the_console_plans_and_withdraws(engine: EngineProcess, desk: Desk, olga: User) -> None:
    console = Client()
    console.force_login(olga)
    form = {
        "act_id": "8e03978e-40d5-43e8-bc93-6894a57f9324",
        "reason": "a good reason",
        "instrument": str(Instrument.objects.get(symbol="AAPL").pk),
        "state": "HALTED",
        "from_at": "2030-01-31 12:00",
        "until_at": "2030-01-31 11:00",
    }

    refused = console.post(address(MarketPlan, "add"), form)
    assert "The plan would end before it begins." in refused.content.decode()
    assert MarketPlan.objects.count() == 0
    console.post(address(MarketPlan, "add"), {**form, "until_at": "2030-01-31 13:00"})
    made = MarketPlan.objects.get()
    withdrawn = run(console, MarketPlan, "withdraw", made)

    assert shown(withdrawn)[0].endswith("withdrawn.")
    assert status(made) == "WITHDRAWN"
    entries = AuditEntry.objects.order_by("id").values_list("action", "target")
    assert list(entries)[-2:] == [
        ("MarketStatePlanned", "instrument:AAPL"),
        ("MarketPlanWithdrawn", "instrument:AAPL"),
    ]


@pytest.mark.parametrize("role", ["trader", "auditor", "support"])
def test_nobody_else_plans(make_user: Callable[..., User], desk: Desk, role: str) -> None:
    console = Client()
    console.force_login(make_user("somebody", role=role))

    assert console.get(address(MarketPlan, "add")).status_code in {302, 403}
