"""`python -m tradeportal.gateway`: the ASGI process (uvicorn) that serves pages, API and sockets.

On SIGTERM it stops listening, tells the sockets to come back (1012), lets running requests end, and
exits. Limits are named here with their reasons.
"""

import argparse
import os
import sys

import uvicorn

from tradeportal.frame_sockets import FrameSocket
from tradeportal.whole_responses import WholeResponses

MAX_SOCKET_MESSAGE_BYTES = 65_536
"""A client's frame: subscriptions and pings are far smaller."""

DRAIN_SECONDS = 10
"""How long running requests may take to end after SIGTERM."""

KEEP_ALIVE_SECONDS = 75
"""Longer than a proxy's own idle time, so that it is never we who close a connection in use."""

BACKLOG = 2048

SWITCH_SECONDS = 0.0005
"""How long a thread (a page, a reading of keys) may keep the interpreter from the event loop, at
each turn of the loop. With Python's own 5 ms and one busy thread, a tenth of the turns took more
than 24 ms; with this, 3 to 20.
"""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeportal.settings.base")
    parser = argparse.ArgumentParser(description="Serve pages, API and sockets.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    uvicorn.run(
        "tradeportal.asgi:application",
        host=options.host,
        port=options.port,
        loop="uvloop" if os.name == "posix" else "asyncio",
        http=WholeResponses,
        ws=FrameSocket,
        ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # costs more than it saves at these sizes, and bombs inflate
        ws_ping_interval=20,
        ws_ping_timeout=20,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # X-Forwarded-For is believed only as PORTAL_PROXY_COUNT says
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=BACKLOG,
    )


if __name__ == "__main__":
    main()
