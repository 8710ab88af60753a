"""Unmodified ccxt as a client of a portal: only its addresses differ from a script's.

Imported inside the functions, because it takes seconds: collecting tests must stay fast.
"""

from typing import Any

from tests.live_portal import Key


def exchange(url: str, key: Key, **options: Any) -> Any:  # Any: ccxt has no types
    """ccxt's synchronous client; requests are not spaced out, as the key's budget is wide."""
    import ccxt

    return ccxt.alpaca(_settings(url, key) | options)


def live_exchange(url: str, key: Key) -> Any:  # Any: ccxt has no types
    """ccxt.pro's client with sockets; made and closed inside the loop that uses it."""
    import ccxt.pro

    return ccxt.pro.alpaca(_settings(url, key))


def _settings(url: str, key: Key) -> dict[str, object]:
    sockets = url.replace("http", "ws")
    return {
        "apiKey": key.key_id,
        "secret": key.secret,
        "enableRateLimit": False,
        "urls": {
            "api": {
                "trader": url,
                "broker": url,
                "market": url,
                "ws": {"trading": f"{sockets}/stream", "crypto": f"{sockets}/v1beta3/crypto/us"},
            }
        },
    }
