"""The one way out: HTTP calls to addresses that a user typed in, such as webhooks.

A name is resolved once, every address it has must be public, and the connection goes to the checked
address itself, so a name that changes its answer in between gains nothing. Every call has a
deadline for the whole exchange and a size limit; nothing is redirected, decompressed or sent
through a proxy.
"""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx
import structlog

from core.domain.addresses import ALLOWED_PORTS, check_address, check_url

logger = structlog.get_logger(__name__)

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
MAX_ADDRESSES = 3
RETRY_STATUSES = frozenset({429, 502, 503, 504})


class OutboundError(Exception):
    """The call failed; the text names the kind of failure and never quotes the answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may cost, and which addresses count as reachable."""

    total_seconds: float = 5.0
    connect_seconds: float = 3.0
    max_answer_bytes: int = 65_536
    attempts: int = 3
    first_pause_seconds: float = 0.2
    allowed_ports: frozenset[int] = ALLOWED_PORTS
    check: Callable[[str], None] = check_address


@dataclass(frozen=True, slots=True)
class Call:
    """One request to make. `is_repeatable` allows retries of a method that is not idempotent."""

    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a host name, in the order to try; OutboundError when it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutboundError("The host name cannot be resolved.") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


Resolver = Callable[[str, int], Awaitable[list[str]]]


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends each request to an address that was resolved and checked here, under the name's
    certificate.
    """

    def __init__(self, limits: Limits, resolver: Resolver = resolve) -> None:
        self._limits = limits
        self._resolver = resolver
        # No connection is kept: one opened for a name must never serve another on the same address.
        self._inner = httpx.AsyncHTTPTransport(
            trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = check_url(str(request.url), self._limits.allowed_ports)
        addresses = await self._resolver(target.host, target.port)
        if not addresses:
            raise OutboundError("The host name cannot be resolved.")
        for address in addresses:  # one private address among public ones refuses them all
            self._limits.check(address)
        # The Host header was made from the name and keeps it; so does the certificate check.
        request.extensions = {**request.extensions, "sni_hostname": target.host}
        *others, last = addresses[:MAX_ADDRESSES]
        for address in others:
            try:
                return await self._send_to(request, address)
            except httpx.ConnectError as error:
                logger.info("outbound_next_address", error=str(error))
        return await self._send_to(request, last)

    async def _send_to(self, request: httpx.Request, address: str) -> httpx.Response:
        request.url = request.url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def send(call: Call, limits: Limits | None = None) -> Answer:
    """Make the call and wait for its answer, whatever its status; for workers and commands.

    AddressRefusedError when the address may not be called, OutboundError when no answer came within
    the limits. Idempotent calls are tried again, with growing random pauses.
    """
    return asyncio.run(send_async(call, limits or Limits()))


async def send_async(
    call: Call,
    limits: Limits,
    resolver: Resolver = resolve,
    pause: Callable[[], float] = random.random,
) -> Answer:
    """As `send`, on the event loop. `pause` gives the random share of each wait."""
    attempts = limits.attempts if call.is_repeatable or call.method in IDEMPOTENT_METHODS else 1
    for attempt in range(1, attempts + 1):
        is_last = attempt == attempts
        try:
            answer = await _send_once(call, limits, resolver)
        except OutboundError as error:
            if is_last:
                raise
            logger.info("outbound_retry", attempt=attempt, error=str(error))
        else:
            if is_last or answer.status not in RETRY_STATUSES:
                return answer
        await asyncio.sleep(limits.first_pause_seconds * 2 ** (attempt - 1) * (0.5 + pause()))
    raise AssertionError("the last attempt returns or raises")


async def _send_once(call: Call, limits: Limits, resolver: Resolver) -> Answer:
    timeouts = httpx.Timeout(limits.total_seconds, connect=limits.connect_seconds)
    headers = {**call.headers, "Accept-Encoding": "identity", "User-Agent": "Tradeportal"}
    try:
        async with (
            asyncio.timeout(limits.total_seconds),
            httpx.AsyncClient(
                transport=CheckedTransport(limits, resolver),
                timeout=timeouts,
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream(call.method, call.url, content=call.body, headers=headers) as response,
        ):
            return Answer(
                response.status_code,
                dict(response.headers),
                await _read_capped(response, limits.max_answer_bytes),
            )
    except TimeoutError as error:
        raise OutboundError("The other side took too long.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OutboundError(f"The call failed: {type(error).__name__}.") from error


async def _read_capped(response: httpx.Response, limit: int) -> bytes:
    """The answer as it came over the wire: asked for plain, so what is compressed is refused."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise OutboundError("The other side compressed its answer unasked.")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise OutboundError(f"The answer is larger than {limit} bytes.")
    return bytes(body)
