"""Reads the options of a feed: what an operator typed, checked before anybody is called.

Used by adapters whose options are more than a word. Every refusal names the option and says what it
may be.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from marketdata.domain.plan import Credentials, FeedOptionError

MAX_TEXT_LENGTH = 2048
HTTP = ("http", "https")
SOCKET = ("ws", "wss")
PLAIN = ("http", "ws")
CHOOSES_ADDRESSES = "exchange"
"""The option of ccxt by which a feed has its addresses when it says none."""


class OptionReader:
    """The options of one feed. FeedOptionError when one is unknown or is not what is asked for."""

    def __init__(self, options: Mapping[str, Any], known: Sequence[str]) -> None:  # Any: JSON
        for name in options:
            if name not in known:
                raise FeedOptionError(
                    f"There is no option {name!r}; this adapter takes {', '.join(sorted(known))}."
                )
        self._options = options

    def text(self, name: str, default: str = "") -> str:
        value = self._options.get(name, default)
        if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH or not value.isprintable():
            raise FeedOptionError(f"The option {name!r} must be a short text.")
        return value

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise FeedOptionError(f"The option {name!r} must be one of {', '.join(choices)}.")
        return value

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self._options.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise FeedOptionError(
                f"The option {name!r} must be a whole number from {low} to {high}."
            )
        return value

    def url(self, name: str, schemes: Sequence[str], default: str = "") -> str:
        """An address without a slash at its end; keys do not belong in it."""
        return check_url(name, self.text(name, default), schemes) if self.has(name) else default

    def has(self, name: str) -> bool:
        return name in self._options


def check_url(name: str, text: str, schemes: Sequence[str]) -> str:
    """`text` without slashes at its end; FeedOptionError unless it is an address of `schemes`."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for what is no port
    except ValueError:
        parts = urlsplit("")
    is_plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    if not is_plain or parts.scheme not in schemes or not parts.hostname:
        raise FeedOptionError(
            f"The option {name!r} must be an address that begins with"
            f" {' or '.join(f'{scheme}://' for scheme in schemes)}."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise FeedOptionError(
            f"The option {name!r} must be a bare address: keys are set with --key-stdin."
        )
    if parts.scheme in PLAIN and not _is_this_machine(parts.hostname):
        raise FeedOptionError(
            f"The option {name!r} must begin with {parts.scheme}s://: a key is sent there. Only"
            " this machine (127.0.0.1, localhost) is reached without encryption."
        )
    return text.rstrip("/")


def addresses_of(options: Mapping[str, Any]) -> frozenset[tuple[str, str]]:  # Any: JSON
    """Where a feed of these options sends its key: each option that is an address, and its scheme,
    host and port. Two sets that differ are two places.
    """
    return frozenset(_addresses(options, ""))


def _addresses(options: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _addresses(value, f"{above}{name}.")
        elif isinstance(value, str) and "://" in value:
            parts = urlsplit(value)
            yield f"{above}{name}", f"{parts.scheme}://{parts.netloc.lower()}"
        elif name == CHOOSES_ADDRESSES:
            yield name, str(value)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def without_key(text: str, credentials: Credentials | None) -> str:
    """What another program said, with our key cut out of it: it goes into logs and pages."""
    for secret in credentials or ():
        if secret:
            text = text.replace(secret, "(key)")
    return text
