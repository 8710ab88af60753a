"""Where and when something was asked for: what every audit entry says besides who and what."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """`address` is the client's, None for a command line or the portal itself."""

    now: datetime
    address: str | None = None
    request_id: str = ""


def client_address(remote: str | None, forwarded_for: str | None, proxy_count: int) -> str | None:
    """The client's address, believing only the `proxy_count` proxies that we run ourselves.

    Each of our proxies appends the address it saw to X-Forwarded-For, so the client is the
    `proxy_count`-th entry from the right; whatever stands left of it was written by the client and
    is ignored. Without proxies the header is ignored altogether. A header too short for its proxies
    leaves the nearest known hop: the connection itself.
    """
    candidate = remote
    if proxy_count > 0 and forwarded_for:
        hops = [hop.strip() for hop in forwarded_for.split(",")]
        if len(hops) >= proxy_count:
            candidate = hops[-proxy_count]
    return _canonical(candidate) or _canonical(remote)


def _canonical(text: str | None) -> str | None:
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
