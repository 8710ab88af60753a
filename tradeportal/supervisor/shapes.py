"""The shapes that text settings must have: host, public address, mail server, token.

A wrong one found here is one line at the start; found later it is a traceback in a child process.
`options` applies them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
NAME = re.compile(rf"(?:{LABEL}\.)*(?!\d+\.?$){LABEL}\.?")  # all digits at the end: an address
NAME_LENGTH_MAX = 253
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")  # what an Authorization header carries unquoted
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
WEB_SCHEMES = frozenset({"http", "https"})
MAIL_SCHEMES = frozenset({"smtp", "smtp+tls", "smtps"})


@dataclass(frozen=True, slots=True)
class Shape:
    """What a text must look like: in words, as a test, and how a wrong one is shown."""

    says: str
    fits: Callable[[str], bool]
    quote: Callable[[str], str] = repr


def is_host(text: str) -> bool:
    """Whether the text can name a machine or one of its addresses (an IPv6 one without [])."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= NAME_LENGTH_MAX and NAME.fullmatch(text) is not None
    return True


def is_web_address(text: str) -> bool:
    """Whether the text is where a site starts: scheme, host, perhaps a port, and no more."""
    parts = _split(text)
    return parts is not None and parts.scheme in WEB_SCHEMES and parts.username is None


def is_mail_server(text: str) -> bool:
    """Whether the text is an SMTP URL, perhaps with user and password."""
    parts = _split(text)
    return parts is not None and parts.scheme in MAIL_SCHEMES


def _split(text: str) -> SplitResult | None:
    """The parts of a URL of a host and nothing behind it; None when it is none."""
    if not text.isprintable() or " " in text:  # urlsplit would drop some of these silently
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    is_bare = parts.path in {"", "/"} and not parts.query and not parts.fragment
    return parts if is_bare and port != 0 and is_host(parts.hostname or "") else None


def without_password(url: str) -> str:
    """The URL for a message, without whatever may be a password."""
    scheme = match[0] if (match := SCHEME.match(url)) else ""
    rest = url.removeprefix(scheme)
    _, at, host = rest.rpartition("@")
    if at:
        return repr(f"{scheme}***@{host}")
    name, colon, port = rest.partition(":")
    return repr(f"{scheme}{name}:***" if colon and not port.isdigit() else url)


HOST = Shape("an IP address or a host name", is_host)
PUBLIC_URL = Shape(
    "empty, or http:// or https:// with a host name, perhaps a port, and nothing behind it",
    lambda text: text == "" or is_web_address(text),
)
SMTP_URL = Shape(
    "empty, or smtp://, smtp+tls:// or smtps:// with user:password@ where needed (%XX for special"
    " characters), a host name and perhaps a port",
    lambda text: text == "" or is_mail_server(text),
    without_password,
)
SECRET = Shape(
    "empty, or 16 or more of the letters, digits and ._~+/-",
    lambda text: text == "" or TOKEN.fullmatch(text) is not None,
    lambda text: f"the {len(text)} characters that are there",
)
