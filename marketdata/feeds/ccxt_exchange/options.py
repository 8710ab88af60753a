"""What an operator may say about an exchange of ccxt. Light: finds the exchanges without loading
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from marketdata.domain.feed_options import HTTP, SOCKET, OptionReader, check_url
from marketdata.domain.plan import FeedOptionError

NAMES = ("exchange", "base_url", "urls", "market_type", "poll_seconds")
MARKET_TYPES = ("spot", "swap", "future", "margin")
POLL_SECONDS = 2
"""Between two questions to an exchange without sockets; ccxt spaces them out further if it must."""
LONGEST_POLL_SECONDS = 3600
MAX_URLS_DEPTH = 4


@dataclass(frozen=True, slots=True)
class CcxtOptions:
    """`urls` goes over the addresses that ccxt has for the exchange (its `urls.api`)."""

    exchange: str
    urls: Mapping[str, Any]
    market_type: str
    poll_seconds: int


def read_options(options: Mapping[str, Any]) -> CcxtOptions:  # Any: JSON
    """The options with their defaults; FeedOptionError names the one at fault."""
    read = OptionReader(options, NAMES)
    exchange = read.text("exchange")
    if exchange not in known_exchanges():
        raise FeedOptionError(
            f"The option 'exchange' must be an exchange that ccxt knows, such as kraken;"
            f" {exchange!r:.40} is none. `ccxt.exchanges` lists them."
        )
    base = read.url("base_url", HTTP)
    if base and exchange != "alpaca":
        raise FeedOptionError("The option 'base_url' is for the exchange alpaca; others take urls.")
    urls = options.get("urls", {})
    if not isinstance(urls, Mapping):
        raise FeedOptionError("The option 'urls' must be an object of addresses.")
    _check_urls(urls, MAX_URLS_DEPTH)
    return CcxtOptions(
        exchange=exchange,
        urls={**(_alpaca_urls(base) if base else {}), **urls},
        market_type=read.choice("market_type", MARKET_TYPES, "spot"),
        poll_seconds=read.whole("poll_seconds", POLL_SECONDS, low=1, high=LONGEST_POLL_SECONDS),
    )


@cache
def known_exchanges() -> frozenset[str]:
    """The names of ccxt's exchanges: a module each. Loading ccxt to ask takes seconds."""
    spec = find_spec("ccxt")
    if spec is None or spec.origin is None:
        return frozenset()
    folder = Path(spec.origin).parent / "async_support"
    return frozenset(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def _alpaca_urls(base: str) -> dict[str, Any]:
    """The addresses of a server that speaks Alpaca's dialect, such as another portal."""
    sockets = "ws" + base.removeprefix("http")
    return {
        "trader": base,
        "broker": base,
        "market": base,
        "ws": {"trading": f"{sockets}/stream", "crypto": f"{sockets}/v1beta3/crypto/us"},
    }


def _check_urls(urls: Mapping[str, Any], depth: int) -> None:
    for value in urls.values():
        if isinstance(value, Mapping) and depth > 1:
            _check_urls(value, depth - 1)
        elif isinstance(value, str):
            check_url("urls", value, (*HTTP, *SOCKET))
        else:
            raise FeedOptionError("The option 'urls' must hold addresses, or objects of them.")
