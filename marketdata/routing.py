"""Addresses of the market data sockets; tradeportal.asgi mounts them.

The browser's socket wants a session and a checked Origin around it, the programs' sockets neither.
"""

from typing import Any, cast

from django.urls import URLPattern, path

from marketdata.consumers import BrowserSocket, CryptoSocket, StockSocket


def _socket(route: str, consumer: Any) -> URLPattern:  # Any: Channels has no types
    return cast(URLPattern, path(route, consumer.as_asgi()))


websocket_urlpatterns = [
    _socket("ws/v1/", BrowserSocket),
]

api_websocket_urlpatterns = [
    _socket("v2/iex", StockSocket),
    _socket("v1beta3/crypto/us", CryptoSocket),
]
