"""`python -m tradeportal.engine`: the process of the order engine of one market segment. One leads;
a second one waits as its standby.

It reads Django's settings and loads none of its applications: the engine needs no models, pages or
admin, and loading them would be half of the outage when it has to start again.
"""

import asyncio
import os
from pathlib import Path

import uvloop
from django.conf import settings

from core.database import database_dsn
from core.domain.clock import SystemClock
from orders.engine.process import EngineOptions, run_engine


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeportal.settings.base")
    options = EngineOptions(
        database_dsn=database_dsn(),
        redis_url=settings.REDIS_URL,
        redis_prefix=settings.REDIS_PREFIX,
        socket_path=Path(settings.ENGINE_SOCKET),
        segment=settings.ENGINE_SEGMENT,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_engine(options, SystemClock()))


if __name__ == "__main__":
    main()
