"""The operators' queue over the API: for keys that may manage risk, and for nobody else's."""

from collections.abc import Callable

import httpx
import pytest

from accounts.domain.api_keys import Scope
from accounts.models import User
from core.models import AuditEntry
from orders.models import Order
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk


@pytest.fixture
def olgas(http_for: Callable[..., httpx.Client], make_user: Callable[..., User]) -> httpx.Client:
    make_user("olga", role="operator")
    return http_for("olga", Scope.READ, Scope.RISK)


def test_an_operator_sees_and_ends_an_order_with_a_reason(
    desk: Desk, engine: EngineProcess, olgas: httpx.Client
) -> None:
    desk.place(engine, "alice", "BUY 5 @ 97")
    desk.place(engine, "charlie", "BUY 3 @ 97")
    queue = olgas.get("/api/v1/queue").json()
    assert queue["total"] == 2
    rows = queue["orders"]
    assert [(row["owner"], row["orders_ahead"], row["quantity_ahead"]) for row in rows] == [
        ("alice", 0, "0"),
        ("charlie", 1, "5"),
    ]  # fmt: skip
    order_id = queue["orders"][0]["order"]["id"]

    answer = olgas.post(f"/api/v1/queue/{order_id}/cancel", json={"reason": "erroneous"})

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["reason"]) == ("CANCELED", "OPERATOR_REQUESTED")
    entry = AuditEntry.objects.get(action="OrderCanceledByOperator")
    assert (entry.target, entry.reason) == (f"order:{order_id}", "erroneous")
    assert entry.actor is not None
    assert entry.actor.get_username() == "olga"
    again = olgas.post(f"/api/v1/queue/{order_id}/cancel", json={"reason": "again"})
    assert (again.status_code, again.json()["reason"]) == (422, "ORDER_NOT_OPEN")
    assert AuditEntry.objects.filter(action="OrderCanceledByOperator").count() == 1


def test_a_traders_key_reaches_neither(
    desk: Desk, engine: EngineProcess, http_for: Callable[..., httpx.Client]
) -> None:
    desk.place(engine, "charlie", "BUY 3 @ 97")
    order = Order.objects.get()
    alices = http_for("alice")

    read = alices.get("/api/v1/queue")
    canceled = alices.post(f"/api/v1/queue/{order.pk}/cancel", json={"reason": "mine now"})

    assert (read.status_code, canceled.status_code) == (403, 403)
    order.refresh_from_db()
    assert order.status == "ACCEPTED"


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": 7}, {"reason": "x", "id": 1}])
def test_a_cancel_needs_a_reason_and_nothing_else(
    olgas: httpx.Client, desk: Desk, engine: EngineProcess, body: dict[str, object]
) -> None:
    desk.place(engine, "alice", "BUY 5 @ 97")

    answer = olgas.post(f"/api/v1/queue/{Order.objects.get().pk}/cancel", json=body)

    assert answer.status_code in {400, 422}
    assert Order.objects.get().status == "ACCEPTED"
