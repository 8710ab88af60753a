"""The hot way in: POST /v2/orders and DELETE /v2/orders/{id} as plain ASGI, in front of Django.

Same authentication, limits, parsing, engine and answers as orders/api.py, without the millisecond
that Django's ASGI handler costs. Anything it is not made for goes on to Django untouched.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.core.exceptions import RequestAborted

from accounts.domain.api_keys import Principal, Scope, read_key_pair
from accounts.services import resolve_key_async, spend_request
from core.api import (
    not_authenticated,
    not_permitted,
    rate_limited,
    read_json_object,
    refusal_body,
)
from core.domain import strict_json
from core.domain.errors import Refusal
from core.request_context import begin_request, current_request_id
from orders.api import why_not_open
from orders.domain import commands
from orders.domain.dialect import dialect_order
from orders.domain.order_request import read_order_request
from orders.domain.replies import OrderReply
from orders.services.gateway import in_own_connection, local_desk
from orders.services.ordering import submit_command
from risk.domain.reasons import DenialReason

Scope_ = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope_, Receive, Send], Awaitable[None]]

logger = structlog.get_logger(__name__)

ORDERS_PATH: Final = "/v2/orders"
_ORDER_PATH = re.compile(
    r"/v2/orders/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII
)
_ENCODER = msgspec.json.Encoder()
Headers = list[tuple[bytes, bytes]]
_JSON_HEADER: Final = (b"content-type", b"application/json")
_CONSTANT_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]


class OrderRoute:
    """ASGI middleware: takes the two hot requests, hands everything else on."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._logger = logger.bind()  # a logger of the module is made anew for each line

    async def __call__(self, scope: Scope_, receive: Receive, send: Send) -> None:
        handler = self._handler(scope)
        if handler is None:
            await self._application(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = begin_request(_text(headers, b"x-request-id"))
        answer_headers = [(b"x-request-id", request_id.encode()), *_CONSTANT_HEADERS]
        try:
            principal = await _authenticate(headers, answer_headers)
            status, body = await handler(scope, receive, principal)
        except Refusal as refusal:
            status, body = refusal.status, _ENCODER.encode(refusal_body(refusal))
        except RequestAborted:
            return  # nothing was done, and nobody is there to be told
        await _respond(send, status, body, answer_headers)
        self._logger.info(
            "order_answered", method=scope["method"], path=scope["path"], status=status
        )

    def _handler(
        self, scope: Scope_
    ) -> Callable[[Scope_, Receive, Principal], Awaitable[tuple[int, bytes]]] | None:
        """Which hot request this is. What is unusual about it in any way is left to Django."""
        if scope["type"] != "http" or not scope["path"].startswith(ORDERS_PATH):
            return None
        if scope["query_string"] or _has_twins(scope["headers"]):
            return None
        method, path = scope["method"], scope["path"]
        if method == "POST" and path == ORDERS_PATH:
            return self._submit if _is_plain(scope["headers"]) else None
        if method == "DELETE" and _ORDER_PATH.fullmatch(path):
            return self._cancel
        return None

    async def _submit(
        self, scope: Scope_, receive: Receive, principal: Principal
    ) -> tuple[int, bytes]:
        body = await _read_body(receive)
        spec = read_order_request(read_json_object(body))
        desk = local_desk()
        account = await desk.account(principal.user_id)
        command = submit_command(
            account_id=account.pk,
            spec=spec,
            submitted_by_id=principal.user_id,
            request_id=current_request_id(),
            key_id=principal.key_id,
        )
        reply = await desk.ask(command)
        assert isinstance(reply, OrderReply)
        return 200, _ENCODER.encode(dialect_order(reply.order))

    async def _cancel(
        self, scope: Scope_, receive: Receive, principal: Principal
    ) -> tuple[int, bytes]:
        match = _ORDER_PATH.fullmatch(scope["path"])
        assert match is not None
        order_id = UUID(match.group(1))
        desk = local_desk()
        account = await desk.account(principal.user_id)
        try:
            await desk.ask(commands.CancelOrder(order_id, account.pk, current_request_id()))
        except Refusal as refusal:
            if refusal.reason is not DenialReason.ORDER_NOT_OPEN:
                raise
            reason = await asyncio.to_thread(
                in_own_connection(why_not_open), account, order_id, refusal
            )
            raise reason from refusal
        return 204, b""


def _has_twins(headers: Collection[tuple[bytes, bytes]]) -> bool:
    """Whether a header stands twice: which of the two would count is Django's decision."""
    return len({name for name, _ in headers}) != len(headers)


def _is_plain(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """A JSON body and no Idempotency-Key."""
    is_json = False
    for name, value in headers:
        if name == b"idempotency-key":
            return False
        if name == b"content-type":
            is_json = value.partition(b";")[0].strip() == b"application/json"
    return is_json


async def _authenticate(headers: dict[bytes, bytes], answer_headers: Headers) -> Principal:
    """Who calls and may trade; adds the rate headers to the answer's as soon as a key is known."""
    pair = read_key_pair(
        key_id=_text(headers, b"apca-api-key-id"),
        secret=_text(headers, b"apca-api-secret-key"),
        authorization=_text(headers, b"authorization"),
    )
    principal = await resolve_key_async(pair.key_id, pair.secret) if pair else None
    if principal is None:
        raise not_authenticated()
    decision = spend_request(principal)
    answer_headers += decision.raw_headers(time.time_ns())
    if not decision.is_allowed:
        raise rate_limited()
    if Scope.TRADE not in principal.scopes:
        raise not_permitted()
    return principal


async def _read_body(receive: Receive) -> bytes:
    """The request's body, read no further than the largest one that can be right.

    RequestAborted when the client is gone before its end: what had come by then may read like a
    whole order, but nobody has finished saying it.
    """
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        body += bytes(message.get("body", b""))
        if len(body) > strict_json.MAX_BODY_BYTES or not message.get("more_body", False):
            return body


async def _respond(send: Send, status: int, body: bytes, headers: Headers) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    if body:
        headers.append(_JSON_HEADER)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
