"""Addresses of the market data sockets; tradeportal.asgi mounts them.

The browser's socket has its address in orders/routing.py, where it learns to take orders.
"""

from typing import Any, cast

from django.urls import URLPattern, path

from marketdata.api.params import FEED_NAMES
from marketdata.consumers import CryptoSocket, StockSocket


def _socket(route: str, consumer: Any) -> URLPattern:  # Any: Channels has no types
    return cast(URLPattern, path(route, consumer.as_asgi()))


api_websocket_urlpatterns = [
    *(_socket(f"v2/{feed}", StockSocket) for feed in FEED_NAMES),
    _socket("v1beta3/crypto/us", CryptoSocket),
]
