"""Structured logs: one JSON object a line on stdout, with the service and the request id that
follows an order through the processes. The supervisor writes stdout to
<data-dir>/logs/<service>.log.

Our own lines go to the descriptor (log_lines.py): through the standard library's handlers a line
costs five times as much, and an order writes two. Other people's lines come out alike, that way.
One function gives our lines what SHARED gives the others': a step of its own for each member costs
an order as much as reading its body does.
"""

import logging.config
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, Processor

from core.domain.clock import NANOSECONDS_PER_SECOND
from core.request_context import current_request_id
from tradeportal.settings.log_lines import Lines, Writer

STDOUT = 1
_with_stack = structlog.processors.StackInfoRenderer()


def add_request_id(_: object, __: str, event: EventDict) -> EventDict:
    """Read when a line is written: most requests write none."""
    request_id = current_request_id()
    if request_id:
        event["request_id"] = request_id
    return event


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    add_request_id,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def completed(service: str) -> Callable[[Writer, str, EventDict], bytes]:
    """The last and only step of our own lines: the members of SHARED, the service, and JSON."""

    def complete(logger: Writer, method: str, event: EventDict) -> bytes:
        event = structlog.contextvars.merge_contextvars(logger, method, event)
        add_request_id(logger, method, event)
        structlog.stdlib.add_log_level(logger, method, event)
        event["logger"] = logger.name
        event["at"] = _now_text()
        event["service"] = service
        if "stack_info" in event:
            event = _with_stack(logger, method, event)
        if "exc_info" in event:
            event = structlog.processors.format_exc_info(logger, method, event)
        return _json(event)

    return complete


def logging_config(*, service: str, level: str) -> None:
    """Route structlog and the standard library's loggers through one JSON renderer."""

    def add_service(_: object, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    processors = [*SHARED, add_service]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processor": structlog.processors.JSONRenderer(serializer=_json_text),
                    "foreign_pre_chain": processors,
                }
            },
            "handlers": {
                "stdout": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stdout",
                    "formatter": "json",
                }
            },
            "root": {"handlers": ["stdout"], "level": level},
            "loggers": {"django.server": {"level": "WARNING"}, "axes": {"level": "WARNING"}},
        }
    )
    logging.captureWarnings(True)  # Python's own would stand between the lines as plain text
    lines = Lines(STDOUT)
    structlog.configure(
        processors=[completed(service)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *names: Writer(lines, names[0] if names else ""),
        cache_logger_on_first_use=True,
    )


def _now_text() -> str:
    """RFC 3339 with microseconds. Most lines share their second with the one before."""
    seconds, rest = divmod(time.time_ns(), NANOSECONDS_PER_SECOND)
    return f"{_second_text(seconds)}.{rest // 1000:06d}Z"


@lru_cache(maxsize=4)
def _second_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _json(event: EventDict, **_: Any) -> bytes:  # Any: the standard library's options
    return msgspec.json.encode(event, enc_hook=repr)


def _json_text(event: EventDict, **options: Any) -> str:  # Any: as above
    return _json(event, **options).decode()
