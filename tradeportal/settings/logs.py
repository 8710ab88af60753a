"""Structured logs: one JSON object a line on stdout, with the service and the request id that
follows an order through the processes. The supervisor writes stdout to
<data-dir>/logs/<service>.log.
"""

import logging.config

import structlog
from structlog.typing import EventDict, Processor

from core.request_context import current_request_id


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
                    "processor": structlog.processors.JSONRenderer(),
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
    structlog.configure(
        processors=[*processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
