"""Programs of a soak that hold the portal to its word while it is harmed: what was acknowledged is
read back at once (I16), and some of what they do leaves an entry in the audit trail (I12).

A read that finds nobody at work says nothing; one that is answered has to know all that was
acknowledged before it was sent, by whatever way it asks.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from tests.faults.programs import ENDED, FIXED, Json, Program, check_audit_trail
from tests.live_portal import LivePortal

READ_SHARE = 0.3
"""How many of the orders are read back: reading all would leave no time for ordering."""
AUDITED_SHARE = 0.03
NEWEST = 50
"""Where an order must stand that was just taken; late ones of unknown outcome may be newer."""
CONFIGURED = "AccountConfigured"


@dataclass(eq=False)
class WatchfulProgram(Program):
    """`acts` are its audited requests by their request ids; `read` counts what it has read back."""

    acts: dict[str, Json] = field(default_factory=dict)
    done_acts: set[str] = field(default_factory=set)
    unknown_acts: set[str] = field(default_factory=set)
    read: Counter[str] = field(default_factory=Counter)
    unsettled_cancels: set[str] = field(default_factory=set)

    def _place(self, client_order_id: str) -> None:
        if self._random.random() < AUDITED_SHARE:
            self._configure(f"{self.name_}.act-{len(self.acts)}")
        before = self._means() if self._random.random() < READ_SHARE else None
        super()._place(client_order_id)
        told = self.acknowledged.get(client_order_id)
        if before is not None and told is not None:
            self._read_back(told, before)

    def _read_back(self, told: Json, before: Decimal) -> None:
        """By its id, in the list, and by what it has taken of the account's means."""
        order = self._get(f"/v2/orders/{told['id']}")
        if order is not None:
            self.read["order"] += 1
            assert {name: order[name] for name in FIXED} == {name: told[name] for name in FIXED}
            assert Decimal(order["filled_qty"]) >= Decimal(told["filled_qty"])
            assert order == told or told["status"] not in ENDED
        newest = self._get("/v2/orders", status="all", limit=str(NEWEST))
        if newest is not None:
            self.read["list"] += 1
            assert told["id"] in {each["id"] for each in newest}
        after = self._means()
        if after is not None:
            self.read["account"] += 1
            assert after <= before - _worth(told), (before, after, told)

    def _means(self) -> Decimal | None:
        """What the account can still buy for; None when nobody answers, and while a cancel of
        unknown outcome may yet give something back. Nothing else of a program does.
        """
        for order_id in [*self.unsettled_cancels]:
            self._send_cancel(order_id)
        account = None if self.unsettled_cancels else self._get("/v2/account")
        return None if account is None else Decimal(account["buying_power"])

    def _send_cancel(self, order_id: str) -> httpx.Response | httpx.TransportError:
        self.unsettled_cancels.add(order_id)
        answer = super()._send_cancel(order_id)
        if isinstance(answer, httpx.Response) and answer.status_code < 500:
            self.unsettled_cancels.discard(order_id)
        if order_id in self.canceled and (order := self._get(f"/v2/orders/{order_id}")):
            self.read["cancel"] += 1
            assert order["status"] == "canceled"
        return answer

    def _configure(self, request_id: str) -> None:
        """Something that changes nothing for the program, and that the audit trail tells."""
        self.acts[request_id] = asked = {"no_shorting": self._random.random() < 0.5}
        headers = {"X-Request-ID": request_id}
        answer = self._ask("PATCH", "/v2/account/configurations", json=asked, headers=headers)
        if isinstance(answer, httpx.ConnectError):
            return
        if isinstance(answer, httpx.TransportError) or answer.status_code >= 500:
            self.unknown_acts.add(request_id)
        elif answer.status_code == 200:
            self.done_acts.add(request_id)

    def _get(self, path: str, **query: str) -> Any:  # Any: JSON
        """What it answers; None when it does not, which a fault may cause."""
        answer = self._ask("GET", path, params=query)
        if isinstance(answer, httpx.TransportError) or answer.status_code >= 500:
            return None
        assert answer.status_code == 200, answer.text
        return answer.json()


def _worth(told: Json) -> Decimal:
    """What an order has taken of the means at least: what it paid, or what it rests for."""
    if told["limit_price"] is None:
        return Decimal(told["filled_qty"]) * Decimal(told["filled_avg_price"] or 0)
    return Decimal(told["qty"]) * Decimal(told["limit_price"])


class AuditWitness:
    """Remembers every entry of the audit trail that it has seen, and the chain's head (I12)."""

    def __init__(self, portal: LivePortal) -> None:
        self._portal = portal
        self._seen: dict[int, str] = {}
        self._entries: list[Json] = []
        self._head = check_audit_trail(portal)
        self.look()

    def look(self) -> None:
        """Whatever was seen is there as it was: entries are added, and never changed or lost. The
        chain says so of itself.
        """
        self._head = check_audit_trail(self._portal, self._head)
        self._entries = _entries(self._portal)
        texts = {each["id"]: json.dumps(each, sort_keys=True) for each in self._entries}
        now = {number: hashlib.sha256(text.encode()).hexdigest() for number, text in texts.items()}
        assert self._seen.items() <= now.items(), sorted(self._seen.items() - now.items())
        self._seen = now

    def judge(self, programs: Sequence[WatchfulProgram]) -> None:
        """Each act that was acknowledged has one entry that tells it, and no act has two; what was
        refused or never sent has none.
        """
        self.look()
        for program in programs:
            own = [each for each in self._entries if each["request_id"] in program.acts]
            count = Counter(each["request_id"] for each in own)
            assert set(count.values()) <= {1}
            assert program.done_acts <= set(count) <= program.done_acts | program.unknown_acts
            for entry in own:
                asked = program.acts[entry["request_id"]]
                assert entry["action"] == CONFIGURED
                assert entry["facts"]["no_shorting"] == str(asked["no_shorting"]).lower()
                assert entry["actor"] == program.name_


def _entries(portal: LivePortal) -> list[Json]:
    code = """
import json
from core.models import AuditEntry
for each in AuditEntry.objects.select_related("actor").order_by("id"):
    told = {name: str(getattr(each, name)) for name in (
        "action", "target", "reason", "address", "request_id", "occurred_at", "actor")}
    print("entry", json.dumps({"id": each.pk, "facts": each.facts, **told}))
"""
    lines = portal.manage("shell", "-c", code).splitlines()
    return [json.loads(line.removeprefix("entry ")) for line in lines if line.startswith("entry ")]
