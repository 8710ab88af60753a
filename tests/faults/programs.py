"""Programs that trade over HTTP through the faults of a whole portal, and what is asked of it then.

Judged by the programs' own logs: what was acknowledged is there and unchanged, what is there was
sent, what was not answered can be found out, and each fill is told once.
"""

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from tests.live_portal import Key, LivePortal

PROGRAMS = 4
CALM_ACKNOWLEDGEMENTS = 10
"""How many orders of each program are acknowledged before the first kill and after each."""
MOST_SECONDS = 300
FILLS_EACH = 40
"""Fewer than a person is told of in a minute: whatever is held up may come at once."""
PAUSE_SECONDS = (0.02, 0.08)
PAUSE_AFTER_FAILURE_SECONDS = 0.25
FIXED = (
    "id", "client_order_id", "symbol", "qty", "side", "type", "time_in_force", "limit_price",
    "submitted_at",
)  # fmt: skip
"""What never changes in an order."""
ENDED = {"filled", "canceled"}
NO_MARKET = {"LIQUIDITY_NONE", "REFERENCE_MISSING", "REFERENCE_STALE"}
Json = dict[str, Any]  # Any: JSON
AnyProgram = TypeVar("AnyProgram", bound="Program")


@dataclass
class Program(threading.Thread):
    """One person's program: places and cancels orders through every fault, and keeps a log."""

    name_: str
    key: Key
    url: str
    seed: int
    should_stop: threading.Event
    sent: dict[str, Json] = field(default_factory=dict)
    acknowledged: dict[str, Json] = field(default_factory=dict)
    refused: dict[str, Json] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    unsent: set[str] = field(default_factory=set)
    canceled: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    is_placing: bool = False
    error: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._random = random.Random(self.seed)
        self._fills = 0
        self._last_fill = 0.0
        self.http = httpx.Client(
            base_url=self.url,
            timeout=15,
            headers={"APCA-API-KEY-ID": self.key.key_id, "APCA-API-SECRET-KEY": self.key.secret},
        )

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        try:
            while not self.should_stop.is_set():
                if self.acknowledged and self._random.random() < 0.15:
                    self._cancel(self._random.choice([*self.acknowledged]))
                else:
                    self._place(f"{self.name_}-{len(self.sent)}")
                time.sleep(self._random.uniform(*PAUSE_SECONDS))
        except BaseException as error:  # reported by the test: a thread's own end is silent
            self.error = error
            raise

    def _place(self, client_order_id: str) -> None:
        order = self._order(client_order_id)
        self.sent[client_order_id] = order
        answer = self._ask("POST", "/v2/orders", json=order)
        if isinstance(answer, httpx.ConnectError):
            self.unsent.add(client_order_id)
        elif isinstance(answer, httpx.TransportError) or _is_outcome_unknown(answer):
            self.unknown.add(client_order_id)
        elif answer.status_code == 200:
            self.acknowledged[client_order_id] = answer.json()
        else:
            self.refused[client_order_id] = answer.json()

    def _order(self, client_order_id: str) -> Json:
        order: Json = {
            "symbol": "MSFT", "side": "buy", "type": "limit", "time_in_force": "gtc",
            "qty": str(self._random.randint(1, 9)),
            "limit_price": f"1.{self._random.randint(1, 9)}5", "client_order_id": client_order_id,
        }  # fmt: skip
        if self._fills < FILLS_EACH and time.monotonic() - self._last_fill > 1:
            self._fills, self._last_fill = self._fills + 1, time.monotonic()
            order.update(type="market", qty="1", limit_price=None)
        return order

    def _cancel(self, client_order_id: str) -> None:
        self._send_cancel(self.acknowledged[client_order_id]["id"])

    def _send_cancel(self, order_id: str) -> httpx.Response | httpx.TransportError:
        answer = self._ask("DELETE", f"/v2/orders/{order_id}")
        if isinstance(answer, httpx.Response) and answer.status_code == 204:
            self.canceled.add(order_id)
        return answer

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response | httpx.TransportError:
        self.is_placing = method == "POST"
        try:
            answer = self.http.request(method, path, **options)
        except httpx.TransportError as error:
            self.is_placing = False
            self.answers[f"{method} {type(error).__name__}"] += 1
            time.sleep(PAUSE_AFTER_FAILURE_SECONDS)
            return error
        self.is_placing = False
        self.answers[f"{method} {answer.status_code} {_reason(answer)}".strip()] += 1
        if answer.status_code >= 500:
            time.sleep(PAUSE_AFTER_FAILURE_SECONDS)
        return answer

    def stored(self) -> dict[str, Json]:
        """Every order of the account by client order id; fails when one stands twice."""
        found: list[Json] = []
        while True:
            after = {"after": found[-1]["submitted_at"]} if found else {}
            query = {"status": "all", "limit": "500", "direction": "asc", **after}
            answer = self.http.get("/v2/orders", params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page
            if len(page) < 500:
                break
        orders = {order["client_order_id"]: order for order in found}
        assert len(orders) == len(found)
        return orders


def _reason(answer: httpx.Response) -> str:
    if answer.status_code < 400:
        return ""
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return str(answer.json()["reason"]) if is_json else "(not JSON)"


def _is_outcome_unknown(answer: httpx.Response) -> bool:
    return answer.status_code >= 500 and _reason(answer) != "UNAVAILABLE"


@contextmanager
def programs_trading(portal: LivePortal) -> Iterator[list[Program]]:
    """PROGRAMS people's programs, each with an account of its own, that have begun to trade."""
    with trading_as(Program, portal) as programs:
        yield programs


@contextmanager
def trading_as(kind: type[AnyProgram], portal: LivePortal) -> Iterator[list[AnyProgram]]:
    """The same, of another kind of program."""
    should_stop = threading.Event()
    names = [f"alice-{uuid4().hex[:6]}-{number}" for number in range(PROGRAMS)]
    keys = make_traders(portal, names)
    made = [
        kind(name, key, portal.url, seed, should_stop)
        for seed, (name, key) in enumerate(zip(names, keys, strict=True))
    ]
    for program in made:
        program.start()
    try:
        wait_until_acknowledged(made)
        yield made
    finally:
        should_stop.set()
        for program in made:
            program.join(60)
            program.http.close()


def make_traders(portal: LivePortal, names: list[str]) -> list[Key]:
    """A trader with a key for each name, made by one process."""
    code = f"""
from django.core.management import call_command
for name in {names!r}:
    call_command("create_user", username=name, cash="100000", email=name + "@example.com")
    call_command("create_api_key", username=name, rate_limit=1_000_000, json=True)
"""
    lines = portal.manage("shell", "-c", code).splitlines()
    made = [json.loads(line) for line in lines if line.startswith("{")]
    return [Key(key["key_id"], key["secret"]) for key in made]


def judge_programs(portal: LivePortal, programs: Sequence[Program]) -> None:
    """Stop the programs and hold what they were told against what is stored."""
    for program in programs:
        program.should_stop.set()
        program.join(60)
    wait_until_ready(portal)
    assert [program.error for program in programs] == [None] * PROGRAMS
    for program in programs:
        stored = program.stored()
        check_acknowledged(program, stored)
        check_nothing_is_made_up(program, stored)
        resolve_unknown(program, stored)
    assert "clean" in portal.manage("verify_ledger")
    assert "the stored state are identical" in portal.manage("replay")
    check_audit_trail(portal)
    check_each_fill_is_told_once(portal, programs)


def in_flight(programs: list[Program]) -> int:
    """Orders that were on their way when something broke: sent, and not answered for."""
    return sum(len(program.unknown) for program in programs)


def wait_until_acknowledged(programs: Sequence[Program]) -> None:
    """Until every program has been told of some more orders that they were taken."""
    wanted = {each: len(each.acknowledged) + CALM_ACKNOWLEDGEMENTS for each in programs}
    wait_until(
        lambda: (
            any(each.error for each in programs)
            or all(len(each.acknowledged) >= count for each, count in wanted.items())
        ),
        "every program's orders are acknowledged",
    )
    assert [each.error for each in programs] == [None] * len(programs)


def wait_until_placing(programs: list[Program]) -> None:
    """Until orders of several programs are on their way."""
    wait_until(lambda: sum(program.is_placing for program in programs) > 1, "orders are placed")


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.002)


def wait_until_ready(portal: LivePortal) -> None:
    """Until every service runs and the portal says that it can trade."""
    deadline = time.monotonic() + MOST_SECONDS
    while True:
        states = {name: service["state"] for name, service in portal.services().items()}
        if set(states.values()) == {"running"} and _says_ready(portal):
            return
        assert time.monotonic() < deadline, states
        time.sleep(0.3)


def _says_ready(portal: LivePortal) -> bool:
    try:
        return httpx.get(f"{portal.url}/health/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def check_acknowledged(program: Program, stored: dict[str, Json]) -> None:
    for client_order_id, told in program.acknowledged.items():
        order = stored[client_order_id]
        assert {name: order[name] for name in FIXED} == {name: told[name] for name in FIXED}
        if told["status"] in ENDED:
            assert order == told
        if order["id"] in program.canceled:
            assert order["status"] == "canceled"


def check_nothing_is_made_up(program: Program, stored: dict[str, Json]) -> None:
    assert set(stored) <= set(program.sent)
    assert not set(stored) & {*program.refused, *program.unsent}
    for client_order_id, order in stored.items():
        sent = program.sent[client_order_id]
        assert {name: order[name] for name in sent} == sent


def resolve_unknown(program: Program, stored: dict[str, Json]) -> None:
    """The client order id tells: the order is there once, or it is not and may be sent again."""
    for client_order_id in program.unknown:
        path = "/v2/orders:by_client_order_id"
        found = program.http.get(path, params={"client_order_id": client_order_id})
        if client_order_id in stored:
            again = program.http.post("/v2/orders", json=program.sent[client_order_id])
            assert found.json()["id"] == stored[client_order_id]["id"]
            assert (again.status_code, again.json()["reason"]) == (422, "CLIENT_ORDER_ID_DUPLICATE")
        else:
            assert found.status_code == 404
            wait_until(partial(_takes, program, client_order_id), "an order is taken at last")


def _takes(program: Program, client_order_id: str) -> bool:
    """Send the order again; False while an order at the market finds nobody, or no price."""
    answer = program.http.post("/v2/orders", json=program.sent[client_order_id])
    if answer.status_code == 403 and answer.json()["reason"] in NO_MARKET:
        return False
    assert answer.status_code == 200, answer.text
    return True


def check_audit_trail(portal: LivePortal, *noted: str) -> str:
    """The chain proves the audit trail and leads to the head that was noted (I12); its head now,
    once a sealer has come by.
    """
    options = [word for head in noted for word in ("--head", head)]
    heads: list[str] = []

    def is_sealed() -> bool:
        told = portal.manage("verify_audit", *options)
        assert "The audit trail is whole" in told
        heads.extend(re.findall(r"Head (\d+:\w+)", told))
        return bool(heads)

    wait_until(is_sealed, "the audit trail is sealed")
    return heads[-1]


def check_each_fill_is_told_once(portal: LivePortal, programs: Sequence[Program]) -> None:
    """Each filled order has one notification and one delivery, once the relay has caught up."""
    filled = {
        (program.name_, order["id"])
        for program in programs
        for order in program.stored().values()
        if order["status"] == "filled"
    }
    assert len(filled) >= PROGRAMS
    deadline = time.monotonic() + MOST_SECONDS
    while len(told := told_fills(portal, programs)) < len(filled):
        assert time.monotonic() < deadline, (len(told), len(filled))
        time.sleep(1)
    assert sorted((name, order_id) for name, order_id, _ in told) == sorted(filled)
    assert {deliveries for _, _, deliveries in told} == {1}


def told_fills(portal: LivePortal, programs: Sequence[Program]) -> list[tuple[str, str, int]]:
    """(user name, order id, number of deliveries) of each notification of a fill."""
    names = [program.name_ for program in programs]
    code = f"""
import json
from core.models import Event
from notifications.models import Notification
told = Notification.objects.filter(kind="OrderFilled", user__username__in={names!r})
events = Event.objects.in_bulk(told.values_list("event_id", flat=True))
for each in told.select_related("user"):
    order_id = events[each.event_id].payload["order"]["id"]
    print("told", json.dumps([each.user.username, order_id, each.deliveries.count()]))
"""
    lines = portal.manage("shell", "-c", code).splitlines()
    return [
        tuple(json.loads(line.removeprefix("told "))) for line in lines if line.startswith("told ")
    ]
