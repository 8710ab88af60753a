"""Orders over a socket: reads a request, does what the same request over HTTP does, replies by id.

Used by the browser's socket and by the programs' (orders/native/sockets.py). Requests of one socket
run beside each other and are answered as they are done; docs/requests.md C1 to C6.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from accounts.domain.rate_limit import RateDecision
from core.api import not_permitted, rate_limited, refusal_body
from core.domain.errors import CODE_MALFORMED, ErrorReason, Refusal
from core.request_context import begin_request, current_request_id
from orders.api import why_not_open
from orders.domain import commands
from orders.domain.batch_request import read_cancel_batch, read_order_batch, read_order_id
from orders.domain.dialect import dialect_order
from orders.domain.order_changes import read_amendment, read_order_changes
from orders.domain.order_request import field_refusal, read_order_request
from orders.domain.replies import AnyReply, CanceledReply, OrderReply
from orders.native.batch import canceled_entries, placed_entries
from orders.services.batches import batch_command, batch_outcomes, cancel_batch_command
from orders.services.gateway import GatewayDesk, in_own_connection, local_desk
from orders.services.ordering import replace_command, submit_command
from portfolio.models import TradingAccount
from risk.domain.reasons import DenialReason

logger = structlog.get_logger(__name__)

MAX_IN_FLIGHT: Final = 64
"""Requests of one socket that may wait for their answer: a flood waits in the client."""

MAX_ID_LENGTH: Final = 64
Data = dict[str, Any]  # Any: JSON values
Answer = tuple[int, object]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request acts for, as of now; `spend` counts requests against its budget."""

    user_id: int
    may_trade: bool
    spend: Callable[[int], RateDecision]
    key_id: str = ""


@dataclass(slots=True)
class Session:
    """What the socket has asked for: that its orders end with it (docs/requests.md N1)."""

    id: UUID | None = None
    is_closed: bool = False


@dataclass(slots=True)
class Turn:
    """One request being answered."""

    caller: Caller
    account: TradingAccount
    desk: GatewayDesk
    rate: RateDecision
    session: "Session"

    def spend_more(self, size: int) -> None:
        """Count the rest of a batch: it costs one request for each thing that it asks for."""
        if size > 1:
            self.rate = self.caller.spend(size - 1)
            if not self.rate.is_allowed:
                raise rate_limited()


async def _place(turn: Turn, data: Data) -> Answer:
    command = submit_command(
        account_id=turn.account.pk,
        spec=read_order_request(data),
        submitted_by_id=turn.caller.user_id,
        request_id=current_request_id(),
        key_id=turn.caller.key_id,
    )
    reply = await turn.desk.ask(_of_session(turn, command))
    assert isinstance(reply, OrderReply)
    return 200, dialect_order(reply.order)


def _of_session(turn: Turn, command: commands.SubmitOrder) -> commands.SubmitOrder:
    if turn.session.id is None:
        return command
    return msgspec.structs.replace(command, session_id=turn.session.id)


async def _begin_session(turn: Turn, data: Data) -> Answer:
    """From now on the orders of this socket end with it (N1). Asked again, it is the same one."""
    _only(data)
    session = turn.session
    if session.id is None:
        session_id = await turn.desk.sessions.open(turn.account.pk)
        if session.is_closed or session.id is not None:
            await turn.desk.sessions.end(session_id)
        session.id = session.id or session_id
    return 200, {"session_id": str(session.id)}


async def _replace(turn: Turn, data: Data) -> Answer:
    order_id = read_order_id(data.get("order_id"), "order_id")
    fields = {name: value for name, value in data.items() if name != "order_id"}
    command = replace_command(
        account_id=turn.account.pk,
        order_id=order_id,
        changes=read_order_changes(fields),
        submitted_by_id=turn.caller.user_id,
        request_id=current_request_id(),
    )
    reply = await _ask_of(turn, order_id, command)
    assert isinstance(reply, OrderReply)
    return 200, dialect_order(reply.order)


async def _amend(turn: Turn, data: Data) -> Answer:
    order_id = read_order_id(data.get("order_id"), "order_id")
    quantity = read_amendment({name: data[name] for name in data if name != "order_id"})
    command = commands.AmendOrder(order_id, turn.account.pk, quantity, current_request_id())
    reply = await _ask_of(turn, order_id, command)
    assert isinstance(reply, OrderReply)
    return 200, dialect_order(reply.order)


async def _cancel(turn: Turn, data: Data) -> Answer:
    order_id = read_order_id(_only(data, "order_id"), "order_id")
    command = commands.CancelOrder(order_id, turn.account.pk, current_request_id())
    reply = await _ask_of(turn, order_id, command)
    assert isinstance(reply, CanceledReply)
    return 200, dialect_order(reply.orders[0])


async def _ask_of(turn: Turn, order_id: UUID, command: commands.AnyCommand) -> AnyReply:
    """The reply about one order; a closed one (422) is told from one that is not there (404)."""
    try:
        return await turn.desk.ask(command)
    except Refusal as refusal:
        if refusal.reason is not DenialReason.ORDER_NOT_OPEN:
            raise
        raise await _in_thread(why_not_open, turn.account, order_id, refusal) from refusal


async def _cancel_all(turn: Turn, data: Data) -> Answer:
    _only(data)
    reply = await turn.desk.ask(commands.CancelAllOrders(turn.account.pk, current_request_id()))
    assert isinstance(reply, CanceledReply)
    return 207, [
        {"id": order.id, "status": 200, "order": dialect_order(order)} for order in reply.orders
    ]


async def _place_batch(turn: Turn, data: Data) -> Answer:
    specs = read_order_batch(data)
    turn.spend_more(len(specs))
    command = batch_command(
        account_id=turn.account.pk,
        specs=specs,
        submitted_by_id=turn.caller.user_id,
        request_id=current_request_id(),
        key_id=turn.caller.key_id,
    )
    orders = [
        _of_session(turn, order) if isinstance(order, commands.SubmitOrder) else order
        for order in command.orders
    ]
    reply = await turn.desk.ask(commands.OrderBatch(orders))
    return 207, placed_entries(batch_outcomes(reply))


async def _cancel_batch(turn: Turn, data: Data) -> Answer:
    ids: list[UUID] = read_cancel_batch(data)
    turn.spend_more(len(ids))
    reply = await turn.desk.ask(cancel_batch_command(turn.account.pk, ids, current_request_id()))
    return 207, await _in_thread(canceled_entries, turn.account, ids, batch_outcomes(reply))


OPERATIONS: Final[dict[str, Callable[[Turn, Data], Awaitable[Answer]]]] = {
    "order.session": _begin_session,
    "order.place": _place,
    "order.replace": _replace,
    "order.amend": _amend,
    "order.cancel": _cancel,
    "order.cancel_all": _cancel_all,
    "order.batch": _place_batch,
    "order.cancel_batch": _cancel_batch,
}

_running: set["asyncio.Task[None]"] = set()
"""What is being answered. Not ended with its socket: what was sent is in the engine's hands, and a
log line tells what came of it. Bounded by the sockets, and by the engine's reply time.
"""


class OrderEntry:
    """One socket's requests. `identify` says who asks, each time anew; `reply` sends a frame."""

    def __init__(
        self, identify: Callable[[], Awaitable[Caller]], reply: Callable[[str], None]
    ) -> None:
        self._identify = identify
        self._reply = reply
        self._in_flight = 0
        self._session = Session()

    def closed(self) -> None:
        """The socket is gone: its orders go with it, if it has asked for that."""
        self._session.is_closed = True
        if self._session.id is not None:
            task = asyncio.create_task(_end_session(self._session.id))
            _running.add(task)
            task.add_done_callback(_log_failure)

    def take(self, request: object) -> bool:
        """Begin what the frame asks for; False for a frame that is no order's."""
        if not isinstance(request, dict):
            return False
        operation = request.get("op")
        if not isinstance(operation, str) or operation not in OPERATIONS:
            return False
        number, data = request.get("id"), request.get("data", {})
        if not _is_id(number):
            self._refuse(None, _malformed(f"id must be a number or 1 to {MAX_ID_LENGTH} letters."))
        elif not isinstance(data, dict) or request.keys() - {"op", "id", "data"}:
            self._refuse(number, _malformed("A request has op, id and data, an object."))
        elif self._in_flight >= MAX_IN_FLIGHT:
            self._refuse(number, _too_many())
        else:
            self._in_flight += 1
            task = asyncio.create_task(self._answer(operation, number, data))
            _running.add(task)
            task.add_done_callback(self._done)
        return True

    async def _answer(self, operation: str, number: object, data: Data) -> None:
        begin_request(None)
        turn: Turn | None = None
        try:
            caller = await self._identify()
            turn = await _begin(caller, self._session)
            status, body = await OPERATIONS[operation](turn, data)
            frame = {"op": "reply", "id": number, "status": status, "data": body}
        except Refusal as refusal:
            status = refusal.status
            frame = {"op": "reply", "id": number, "status": status, "error": refusal_body(refusal)}
        if turn is not None:
            frame["rate"] = _rate(turn.rate)
        self._reply(msgspec.json.encode(frame).decode())
        logger.info("order_answered", method="SOCKET", path=operation, status=status)

    def _refuse(self, number: object, refusal: Refusal) -> None:
        begin_request(None)
        frame = {
            "op": "reply",
            "id": number,
            "status": refusal.status,
            "error": refusal_body(refusal),
        }
        self._reply(msgspec.json.encode(frame).decode())

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._in_flight -= 1
        _log_failure(task)


def _log_failure(task: "asyncio.Task[None]") -> None:
    _running.discard(task)
    if not task.cancelled() and task.exception() is not None:
        logger.error("order_entry_failed", exc_info=task.exception())


async def _end_session(session_id: UUID) -> None:
    begin_request(None)
    await local_desk().sessions.end(session_id)


async def _begin(caller: Caller, session: Session) -> Turn:
    """Count the request, then look whether its caller may trade: as every other way in."""
    rate = caller.spend(1)
    if not rate.is_allowed:
        raise rate_limited()
    if not caller.may_trade:
        raise not_permitted()
    desk = local_desk()
    return Turn(caller, await desk.account(caller.user_id), desk, rate, session)


async def _in_thread(function: Callable[..., Any], *arguments: object) -> Any:
    # Any: whatever the function gives
    return await asyncio.to_thread(in_own_connection(function), *arguments)


def _rate(decision: RateDecision) -> dict[str, int]:
    """What the rate headers of HTTP say: `reset` is when the budget is whole again."""
    headers = decision.headers(time.time_ns())
    return {
        name: int(headers[f"X-RateLimit-{name.title()}"])
        for name in ("limit", "remaining", "reset")
    }


def _only(data: Data, field: str | None = None) -> object:
    """The one field that the request may have."""
    for name in data:
        if name != field:
            raise field_refusal(name[:64], "is not a field of it.", ErrorReason.FIELD_UNKNOWN)
    return data.get(field) if field else None


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= MAX_ID_LENGTH
    return isinstance(value, int) and not isinstance(value, bool)


def _malformed(message: str) -> Refusal:
    return Refusal(
        status=400, code=CODE_MALFORMED, reason=ErrorReason.REQUEST_MALFORMED, message=message
    )


def _too_many() -> Refusal:
    refusal = rate_limited()
    refusal.facts["in_flight"] = MAX_IN_FLIGHT
    return refusal
