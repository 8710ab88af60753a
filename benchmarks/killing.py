"""Kills a portal's engine and tells how long nobody acknowledged an order."""

import contextlib
import os
import signal
import time
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection

import msgspec

from benchmarks.load.spec import Trader
from benchmarks.orders import ORDERS_PATH
from benchmarks.portal import Portal
from benchmarks.processes import BenchmarkError

ACK_SECONDS_MAX = 120
POLL_SECONDS = 0.01
REPLY_SECONDS = 30
ORDER = {
    "qty": "1",
    "side": "buy",
    "type": "limit",
    "time_in_force": "ioc",
    "limit_price": "1.00",
}
"""Far from what anybody asks for: it is accepted, and ends at once."""


class Outage(msgspec.Struct, frozen=True):
    """From the kill to the first acknowledged order, and how much of it the engine took to recover
    its memory from the database.
    """

    seconds: float
    recovery_seconds: float


class LogLine(msgspec.Struct):
    """What is read of a line of the engine's log."""

    event: str
    at: datetime


def kill_engine(portal: Portal, trader: Trader) -> Outage:
    """As a crash would: SIGKILL. Returns when a new order was acknowledged over HTTP."""
    log = portal.data.logs / "engine.log"
    written = log.stat().st_size
    os.kill(portal.pid("engine"), signal.SIGKILL)
    begin = time.perf_counter()
    while not _is_acknowledged(portal, trader):
        if time.perf_counter() - begin > ACK_SECONDS_MAX:
            raise BenchmarkError(f"no order was acknowledged; see {log}")
        time.sleep(POLL_SECONDS)
    seconds = time.perf_counter() - begin
    with log.open("rb") as lines:
        lines.seek(written)
        found = {line.event: line.at for line in _read(lines.read())}
    recovery = found["engine_recovered"] - found["engine_waiting_for_lease"]
    return Outage(seconds, recovery.total_seconds())


def cancel_all(portal: Portal, trader: Trader) -> None:
    """Cancel all open orders of the trader's account."""
    status = _ask(portal, trader, "DELETE")
    if status != HTTPStatus.MULTI_STATUS:
        raise BenchmarkError(f"canceling everything was answered with {status}")


def _is_acknowledged(portal: Portal, trader: Trader) -> bool:
    try:
        body = msgspec.json.encode({**ORDER, "symbol": trader.symbol})
        return _ask(portal, trader, "POST", body) == HTTPStatus.OK
    except OSError:
        return False


def _ask(portal: Portal, trader: Trader, method: str, body: bytes | None = None) -> int:
    connection = HTTPConnection(portal.host, portal.port, timeout=REPLY_SECONDS)
    headers = {**trader.headers, "Content-Type": "application/json"}
    with contextlib.closing(connection):
        connection.request(method, ORDERS_PATH, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def _read(lines: bytes) -> list[LogLine]:
    return [
        msgspec.json.decode(line, type=LogLine)
        for line in lines.splitlines()
        if line.startswith(b"{") and line.endswith(b"}")
    ]
