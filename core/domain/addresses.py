"""Which addresses and URLs an outbound call may reach: public ones only, spelled one way.

Pure: names are resolved by `core.outbound`, which asks here about the URL before and about every
address after.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

ALLOWED_PORTS = frozenset({80, 443, 8080, 8443})
MAX_URL_LENGTH = 2048
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?\Z",
    re.ASCII | re.IGNORECASE,
)
# inet_aton's other spellings: decimal, octal, hexadecimal and short forms of an IPv4 address.
_NUMERIC_HOST = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?\Z", re.ASCII | re.I)

_NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        # IPv4: "this network", private, shared, loopback, link-local, protocol, test, multicast...
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC_V6 = [
    ipaddress.ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them: an IPv4 address in disguise
        "2001:db8::/32",
        "2002::/16",  # 6to4: likewise
        "3fff::/20",
    )
]


class AddressRefusedError(ValueError):
    """The URL or address must not be called; the text says why and may be shown to its owner."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL's host and port."""

    host: str
    port: int


def check_url(url: str, allowed_ports: frozenset[int] = ALLOWED_PORTS) -> Target:
    """The host and port of a URL that may be called; AddressRefusedError for any other.

    Only http and https, no user name, no odd spelling of an address, ports of web servers.
    """
    if len(url) > MAX_URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefusedError("The address is too long or holds characters that URLs have not.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefusedError("The address is malformed.") from error
    if parts.scheme not in {"http", "https"}:
        raise AddressRefusedError("Only http and https addresses can be called.")
    if "@" in parts.netloc or "\\" in url:
        raise AddressRefusedError("The address must not carry a user name or a backslash.")
    host = parts.hostname or ""
    if ":" in host or not _HOST_NAME.match(host):
        _check_literal_v6(host)
    elif _NUMERIC_HOST.match(host):
        check_address(host)
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port not in allowed_ports:
        raise AddressRefusedError(f"Port {port} is not one of a web server.")
    return Target(host, port)


def _check_literal_v6(host: str) -> None:
    if ":" not in host or "%" in host:
        raise AddressRefusedError("The address has no valid host name.")
    check_address(host)


def check_address(text: str) -> None:
    """AddressRefusedError unless `text` is a public IP address in its usual spelling."""
    if not is_public(text):
        raise AddressRefusedError("The address is not on the public internet.")


def is_public(text: str) -> bool:
    """Whether an IP address is a public unicast one; false for what is no address at all."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC)
    # Mapped, translated and local IPv6 all lie outside of 2000::/3.
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
