"""The hub of this process: made on first use, from the settings."""

import asyncio
from weakref import WeakKeyDictionary

from django.conf import settings
from django.utils.module_loading import import_string

from marketdata.hub.hub import Hub

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def local_hub() -> Hub:
    """The running event loop's hub (a gateway has one loop; tests have one each)."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        providers = {
            kind: import_string(path)() for kind, path in settings.LIVE_TOPIC_PROVIDERS.items()
        }
        hub = _hubs[loop] = Hub(settings.REDIS_URL, settings.REDIS_PREFIX, providers)
        hub.start()
    return hub
