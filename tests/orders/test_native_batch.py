"""/api/v1/orders/batch over real HTTP: rules L1 to L4, and Y2 to Y4 for a whole batch."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from accounts.domain.api_keys import Scope
from core.models import IdempotencyRecord
from orders.models import Order
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PATH = "/api/v1/orders/batch"
Make = Callable[..., httpx.Client]


def order(**changes: object) -> dict[str, object]:
    return {
        "symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc",
        "limit_price": "10", **changes,
    }  # fmt: skip


def place(http: httpx.Client, *orders: object, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": f'"{key}"'} if key else {}
    return http.post(PATH, json={"orders": orders}, headers=headers)


def cancel(http: httpx.Client, *ids: object) -> httpx.Response:
    return http.request("DELETE", PATH, json={"ids": ids})


def statuses(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 207, answer.text
    return [entry["status"] for entry in answer.json()]


def test_each_order_gets_its_own_answer(http_for: Make) -> None:
    http = http_for("alice")

    answer = place(http, order(), order(qty="2000"), order(client_order_id="c-1", qty="2"))

    placed, refused, named = answer.json()
    assert statuses(answer) == [200, 403, 200]
    assert (placed["order"]["status"], named["order"]["client_order_id"]) == ("new", "c-1")
    assert refused["error"]["reason"] == "FUNDS_INSUFFICIENT"
    assert refused["error"]["request_id"] == answer.headers["x-request-id"]
    assert [row["id"] for row in http.get("/v2/orders").json()] == [
        named["order"]["id"],
        placed["order"]["id"],
    ]
    assert_clean()


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (order(qty="x"), "Entry 1: qty must be a plain decimal number"),
        (order(side="hold"), "Entry 1: side must be one of"),
        (order(colour="red"), "Entry 1: colour is not a field of an order."),
        ("buy", "Entry 1: orders must be a list of objects."),
        (None, "Entry 1: orders must be a list of objects."),
    ],
)
def test_one_shape_that_cannot_be_read_refuses_the_whole_batch(
    http_for: Make, bad: object, problem: str
) -> None:
    answer = place(http_for("alice"), order(), bad, order())

    assert (answer.status_code, answer.json()["index"]) == (422, 1)
    assert answer.json()["message"].startswith(problem)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"orders": []}, {"orders": [order()] * 51}, {"orders": {}}, {"orders": [], "x": 1}]
)
def test_a_body_that_is_no_batch_is_refused(http_for: Make, body: dict[str, Any]) -> None:
    answer = http_for("alice").post(PATH, json=body)

    assert answer.status_code == 422
    assert not Order.objects.exists()


def test_a_client_order_id_counts_once_in_a_batch_and_after_it(http_for: Make) -> None:
    http = http_for("alice")
    named = order(client_order_id="once")

    assert statuses(place(http, named, named)) == [200, 422]
    http.delete("/v2/orders")
    again = place(http, named, order())

    assert statuses(again) == [422, 200]
    assert again.json()[0]["error"]["reason"] == "CLIENT_ORDER_ID_DUPLICATE"


def test_a_batch_of_cancels_tells_closed_from_unknown(http_for: Make) -> None:
    http, other = http_for("alice"), http_for("charlie")
    ids = [entry["order"]["id"] for entry in place(http, order(), order()).json()]
    theirs = place(other, order()).json()[0]["order"]["id"]
    http.delete(f"/v2/orders/{ids[0]}")

    answer = cancel(http, ids[0], ids[1], theirs, str(uuid4()))

    assert statuses(answer) == [422, 200, 404, 404]
    assert [entry["id"] for entry in answer.json()][:3] == [ids[0], ids[1], theirs]
    assert answer.json()[0]["error"]["message"] == 'order is already in "canceled" state'
    assert answer.json()[1]["order"]["status"] == "canceled"
    assert other.get(f"/v2/orders/{theirs}").json()["status"] == "new"


@pytest.mark.parametrize("wrong", ["", "x", 7, None, "904837E3-3B76-47EC-B432-046DB621571B"])
def test_ids_that_cannot_be_read_refuse_the_whole_batch(http_for: Make, wrong: object) -> None:
    http = http_for("alice")
    placed = place(http, order()).json()[0]["order"]["id"]

    answer = cancel(http, placed, wrong)

    assert (answer.status_code, answer.json()["index"]) == (422, 1)
    assert http.get(f"/v2/orders/{placed}").json()["status"] == "new"


def test_a_batch_costs_as_much_as_its_orders(http_for: Make) -> None:
    http = http_for("alice", rate=10)

    first = place(http, *[order()] * 8)
    second = place(http, order(), order(), order())

    assert (first.status_code, first.headers["x-ratelimit-remaining"]) == (207, "2")
    assert (second.status_code, second.headers["x-ratelimit-remaining"]) == (429, "1")
    assert Order.objects.count() == 8


def test_a_key_that_may_not_trade_places_and_cancels_no_batch(http_for: Make) -> None:
    reader = http_for("alice", Scope.READ)

    assert place(reader, order()).status_code == 403
    assert cancel(reader, str(uuid4())).status_code == 403
    assert not Order.objects.exists()


def test_the_same_batch_with_its_key_is_done_once(http_for: Make) -> None:
    http = http_for("alice")

    answers = [place(http, order(), order(qty="2000"), key="k-1") for _ in range(3)]

    assert [statuses(answer) for answer in answers] == [[200, 403]] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert Order.objects.count() == 1
    assert place(http, order(), key="k-1").status_code == 422


def test_a_batch_that_was_cut_off_is_finished_by_the_same_batch(http_for: Make) -> None:
    http = http_for("alice")
    first = place(http, order(), order(time_in_force="ioc"), key="k-1")
    # As if the gateway had died after the commit, a while ago.
    record = IdempotencyRecord.objects.get()
    assert record.claimed_at is not None
    record.status, record.response = None, None
    record.claimed_at = record.created_at.replace(year=record.created_at.year - 1)
    record.save()

    again = place(http, order(), order(time_in_force="ioc"), key="k-1")

    assert statuses(again) == [200, 200]
    assert again.json() == first.json()
    assert Order.objects.count() == 2


def test_without_an_engine_nothing_was_done_and_the_key_is_free(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    http = http_for("alice")
    engine.kill()

    refused = place(http, order(), key="k-1")
    engine.start()
    placed = place(http, order(), key="k-1")

    assert (refused.status_code, refused.json()["reason"]) == (503, "UNAVAILABLE")
    assert statuses(placed) == [200]
