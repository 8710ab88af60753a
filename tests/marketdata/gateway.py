"""A real gateway for tests: uvicorn on a free port, in a thread, over the test's own database."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from django.db import connections

from tests.marketdata.valkey import free_port
from tradeportal.frame_sockets import FrameSocket


@contextmanager
def running_gateway() -> Iterator[int]:
    """The port of a gateway that serves until the block ends."""
    from tradeportal.asgi import application

    with serving(application) as port:
        yield port


@contextmanager
def serving(application: Any) -> Iterator[int]:  # Any: an ASGI application
    """The port on which the gateway's server runs an application until the block ends."""
    port = free_port()
    config = uvicorn.Config(
        application,
        port=port,
        loop="uvloop",
        ws=FrameSocket,
        ws_per_message_deflate=False,
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(10)
        connections.close_all()
