"""Sockets of the orders app. Programs bring a key, no cookie and no Origin."""

from django.urls import path

from orders.consumers import TradeUpdatesSocket

api_websocket_urlpatterns = [
    path("stream", TradeUpdatesSocket.as_asgi()),  # type: ignore[no-untyped-call]
]
