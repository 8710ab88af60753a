"""Sockets that take orders or tell of them. The browser's brings a session and a checked Origin,
those of programs bring a key, no cookie and no Origin.
"""

from typing import Any, cast

from django.urls import URLPattern, path

from orders.consumers import TradeUpdatesSocket
from orders.native.sockets import OrderBrowserSocket, ProgramSocket


def _socket(route: str, consumer: Any) -> URLPattern:  # Any: Channels has no types
    return cast(URLPattern, path(route, consumer.as_asgi()))


websocket_urlpatterns = [
    _socket("ws/v1/", OrderBrowserSocket),
]

api_websocket_urlpatterns = [
    _socket("stream", TradeUpdatesSocket),
    _socket("api/v1/stream", ProgramSocket),
]
