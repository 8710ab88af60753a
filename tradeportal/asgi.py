"""The gateway's application: hot order route, live sockets, and Django for everything else.

Browser sockets carry a cookie, so their Origin is checked; programs' sockets carry a key and no
Origin, so they stand outside of that check (stock clients send none).
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeportal.settings.base")
pages = get_asgi_application()  # sets Django up: what follows needs its models

from core.collector import leave_what_is_loaded  # noqa: E402
from core.invalidation import Invalidations  # noqa: E402
from marketdata import routing as marketdata_routing  # noqa: E402
from orders import routing as orders_routing  # noqa: E402
from orders.order_route import Application, OrderRoute  # noqa: E402

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

browser_sockets = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter(orders_routing.websocket_urlpatterns))
)
program_sockets = URLRouter(
    [
        *marketdata_routing.api_websocket_urlpatterns,
        *orders_routing.api_websocket_urlpatterns,
    ]
)
BROWSER_SOCKET_PREFIX = "/ws/"


async def sockets(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Send a socket to the right door; one that nobody serves is refused, not an error."""
    is_browser = scope["path"].startswith(BROWSER_SOCKET_PREFIX)
    try:
        await (browser_sockets if is_browser else program_sockets)(scope, receive, send)
    except ValueError as error:
        if "No route found" not in str(error):
            raise
        await send({"type": "websocket.close", "code": 4404})


application = OrderRoute(
    cast(Application, ProtocolTypeRouter({"http": pages, "websocket": sockets}))
)

Invalidations(settings.REDIS_URL, settings.REDIS_PREFIX).start()
leave_what_is_loaded()
