"""A real gateway for tests: uvicorn on a free port, in a thread, over the test's own database."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from django.db import connections

from tests.engine_process import PATIENCE_SECONDS, wait_until
from tradeportal.frame_sockets import FrameSocket
from tradeportal.whole_responses import WholeResponses


@contextmanager
def running_gateway() -> Iterator[int]:
    """The port of a gateway that serves until the block ends."""
    from tradeportal.asgi import application

    with serving(application) as port:
        yield port


@contextmanager
def serving(application: Any) -> Iterator[int]:  # Any: an ASGI application
    """The port on which the gateway's server runs an application until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))  # nobody else can take its port
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=WholeResponses,
        ws=FrameSocket,
        ws_per_message_deflate=False,
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive(), "the gateway listens")
    try:
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        connections.close_all()
        listening.close()
        assert not thread.is_alive(), "the gateway does not end"
