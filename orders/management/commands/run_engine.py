"""`manage.py run_engine`: the single-writer engine of one market segment, in the foreground."""

import asyncio
from pathlib import Path
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand

from core.database import database_dsn
from core.domain.clock import SystemClock
from orders.engine.process import EngineOptions, run_engine


class Command(BaseCommand):
    help = "Run the order engine. One leads; a second one waits as its standby."
    requires_system_checks = ()  # they load every page, and nobody trades meanwhile

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        engine = EngineOptions(
            database_dsn=database_dsn(),
            redis_url=settings.REDIS_URL,
            redis_prefix=settings.REDIS_PREFIX,
            socket_path=Path(settings.ENGINE_SOCKET),
            segment=settings.ENGINE_SEGMENT,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_engine(engine, SystemClock()))
