"""The dead-man timer in the real engine and over HTTP: rules D1 to D4 across restarts."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest

from accounts.domain.api_keys import Scope
from core.domain.clock import to_ns
from core.models import AuditEntry
from orders.domain import commands
from orders.domain.replies import DeadManReply
from orders.models import DeadMan, Order
from tests.engine_process import EngineProcess, wait_until
from tests.faults.in_process import InProcessEngine, Point
from tests.orders.desk import Desk, assert_clean, stored_state
from tests.simulation.told_clock import ToldClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
PATH = "/api/v1/cancel-after"
START_NS = 1_772_465_400_000_000_000
Make = Callable[..., httpx.Client]


def order(**changes: object) -> dict[str, object]:
    return {
        "symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc",
        "limit_price": "10", **changes,
    }  # fmt: skip


def keyed(desk: Desk, name: str, key: str) -> commands.SubmitOrder:
    return msgspec.structs.replace(desk.submit(name, "BUY 1 @ 10"), key_id=key)


def test_a_program_that_falls_silent_loses_its_orders(http_for: Make) -> None:
    silent, other = http_for("alice"), http_for("alice")
    places = (
        lambda http: http.post("/v2/orders", json=order()).json()["id"],
        lambda http: http.post(
            "/v2/orders", json=order(), headers={"Idempotency-Key": '"k"'}
        ).json()["id"],
        lambda http: http.post("/api/v1/orders/batch", json={"orders": [order()]}).json()[0][
            "order"
        ]["id"],
    )
    mine = [place(silent) for place in places]
    theirs = places[0](other)

    armed = silent.post(PATH, json={"timeout_seconds": 1})

    assert armed.status_code == 200
    told = armed.json()
    assert told["trigger_time"] > told["current_time"]
    wait_until(
        lambda: Order.objects.filter(closed_at__isnull=True).count() == 1, "its orders are gone"
    )
    reasons = {silent.get(f"/v2/orders/{order_id}").json()["reason"] for order_id in mine}
    assert reasons == {"DEAD_MAN"}
    assert str(Order.objects.get(closed_at__isnull=True).pk) == theirs
    entry = AuditEntry.objects.get(action="DeadManFired")
    assert (entry.target, entry.facts["orders"]) == (silent.headers["APCA-API-KEY-ID"], "3")
    assert DeadMan.objects.get().fires_at is None
    assert_clean()


def test_zero_disarms(http_for: Make) -> None:
    http = http_for("alice")
    http.post("/v2/orders", json=order())
    http.post(PATH, json={"timeout_seconds": 1})

    disarmed = http.post(PATH, json={"timeout_seconds": 0})
    time.sleep(2.5)

    assert disarmed.json()["trigger_time"] is None
    assert Order.objects.get().closed_at is None


@pytest.mark.parametrize("value", [-1, 3601, 1.5, "60", True, None, [60]])
def test_another_timeout_is_refused(http_for: Make, value: object) -> None:
    http = http_for("alice")

    answers = [
        http.post(PATH, json={"timeout_seconds": value}),
        http.post(PATH, json={"timeout_seconds": 60, "key_id": "PK"}),
        http.post(PATH, json={}),
    ]

    assert [answer.status_code for answer in answers] == [422, 400, 422]
    assert not DeadMan.objects.exists()


def test_a_key_that_may_not_trade_is_not_watched(http_for: Make) -> None:
    assert http_for("alice", Scope.READ).post(PATH, json={"timeout_seconds": 9}).status_code == 403


def test_the_watch_outlives_the_engine(engine: EngineProcess, desk: Desk) -> None:
    engine.ask_all([keyed(desk, "alice-1", "PKA"), keyed(desk, "alice-2", "PKB")])
    for key in ("PKA", "PKB"):
        engine.ask(commands.SetDeadMan(key, desk.accounts["alice"].pk, 3_600, "watch"))
    before = stored_state()

    engine.restart_after_kill()

    assert stored_state() == before
    assert [*before["dead_men"]] == ["PKA", "PKB"]
    assert {row["key_id"] for row in before["orders"]} == {"PKA", "PKB"}


@pytest.mark.parametrize("point", list(Point))
def test_it_fires_after_an_outage_before_anything_that_came_later(
    desk: Desk, tmp_path: Path, point: Point
) -> None:
    clock = ToldClock(START_NS)
    account = desk.accounts["alice"].pk

    async def history() -> None:
        async with InProcessEngine(tmp_path / "engine", clock) as engine:
            await engine.ask(keyed(desk, "alice-1", "PKA"))
            reply = await engine.ask(commands.SetDeadMan("PKA", account, 60, "watch"))
            assert reply == DeadManReply(START_NS, START_NS + 60_000_000_000)
            with pytest.raises(Exception):  # noqa: B017  # the engine dies of it
                await engine.ask(keyed(desk, "alice-2", "PKB"), crash_at=point)
            await engine.bury()
            clock.time_ns += 3_600_000_000_000
            await engine.start()
            await engine.ask(keyed(desk, "alice-3", "PKA"))

    asyncio.run(history())

    first = Order.objects.get(submitted_at__lt="2026-03-02T15:35:00Z", submitted_key="PKA")
    last = Order.objects.get(submitted_at__gt="2026-03-02T15:35:00Z")
    assert first.reason == "DEAD_MAN"
    assert first.closed_at is not None
    assert to_ns(first.closed_at) == clock.time_ns
    assert last.closed_at is None  # it came after: the watch had ended
    assert_clean()
