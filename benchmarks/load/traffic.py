"""The requests of one connection: a fixed mix of limit orders and cancels, built ahead.

Of a hundred steps 45 place an order that rests near the touch, 45 one that crosses whatever rests
there, and 10 place one far away and cancel it with the next request. Buyers and sellers are
different accounts that mirror each other, so the book stays small and about half of the orders
trade at once.
"""

import json
import random
from collections.abc import Sequence

from benchmarks.load.spec import LoadSpec, Trader

MID_CENTS = 1_000
NEAR_CENTS = range(1, 6)
CROSSING_CENTS = 5
FAR_CENTS = range(100, 120)
QUANTITIES = range(1, 11)
REST_SHARE, CROSS_SHARE = 45, 45
ID_LENGTH = 24


class Traffic:
    """Gives the next request, and learns from the answer which order to cancel."""

    def __init__(self, spec: LoadSpec, number: int) -> None:
        trader = spec.traders[number % len(spec.traders)]
        # Seeded: every design under test is asked the same.
        self._random = random.Random(f"{trader.side}{number}")  # noqa: S311
        self._orders = _order_templates(spec, trader)
        self._cancel_head = _head(spec, trader, "DELETE", f"{spec.path}/%s")
        self._prefix = f"{spec.run}-{number:03d}-"
        self._count = 0
        self._is_far = False
        self._to_cancel: bytes | None = None
        self.is_cancel = False

    def next_request(self) -> bytes:
        """The next request to send; `is_cancel` says of what kind it is."""
        if self._to_cancel is not None:
            request, self._to_cancel = self._to_cancel, None
            self.is_cancel = True
            return request
        self.is_cancel = False
        draw = self._random.randrange(100)
        kind = 0 if draw < REST_SHARE else 1 if draw < REST_SHARE + CROSS_SHARE else 2
        self._is_far = kind == 2
        before, after = self._random.choice(self._orders[kind])
        self._count += 1
        client_id = f"{self._prefix}{self._count}".ljust(ID_LENGTH, "x")
        return before + client_id.encode() + after

    def note_answer(self, is_accepted: bool, body: bytes) -> None:
        """Remember an order that stands far from the touch: the next request cancels it."""
        if self._is_far and is_accepted and not self.is_cancel:
            order_id = str(json.loads(body)["id"])
            self._to_cancel = self._cancel_head.replace(b"%s", order_id.encode())
        self._is_far = False


def _order_templates(spec: LoadSpec, trader: Trader) -> list[list[tuple[bytes, bytes]]]:
    """For each kind of step its requests, cut where the client order id goes."""
    away = -1 if trader.side == "buy" else 1
    return [
        _templates(spec, trader, [MID_CENTS + away * cents for cents in NEAR_CENTS]),
        _templates(spec, trader, [MID_CENTS - away * CROSSING_CENTS]),
        _templates(spec, trader, [MID_CENTS + away * cents for cents in FAR_CENTS]),
    ]


def _templates(
    spec: LoadSpec, trader: Trader, prices_cents: Sequence[int]
) -> list[tuple[bytes, bytes]]:
    templates = []
    for price in prices_cents:
        for quantity in QUANTITIES:
            order = {
                "client_order_id": "?" * ID_LENGTH,
                "symbol": trader.symbol,
                "qty": str(quantity),
                "side": trader.side,
                "type": "limit",
                "time_in_force": "gtc",
                "limit_price": f"{price // 100}.{price % 100:02d}",
            }
            body = json.dumps(order).encode()
            request = _head(spec, trader, "POST", spec.path, len(body)) + body
            before, after = request.split(b"?" * ID_LENGTH)
            templates.append((before, after))
    return templates


def _head(spec: LoadSpec, trader: Trader, method: str, path: str, length: int = 0) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {spec.host}:{spec.port}",
        "Accept: application/json",
        *(f"{name}: {value}" for name, value in trader.headers.items()),
    ]
    if method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()
