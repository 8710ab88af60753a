"""What happens around every Celery task: its request id, its duration, its failure, its log lines.

The request id of whoever asked travels in a message header, so one id is found in the page's log,
the engine's and the worker's. Imported by tradeportal.celery; nothing here decides anything.
"""

import time
from typing import Any

import structlog
from celery import signals
from prometheus_client import multiprocess, values

from core.metrics import TASK_FAILURES, TASK_SECONDS
from core.request_context import begin_request, current_request_id
from core.task_context import REQUEST_ID_HEADER

_started: dict[str, float] = {}  # task id → when it began; a child runs one task at a time

logger = structlog.get_logger(__name__)

# Any in all of these: Celery's signals carry whatever they like.


@signals.setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """A receiver here makes Celery leave logging as the settings have configured it."""


@signals.celeryd_init.connect
def print_no_banner(instance: Any, **_: Any) -> None:
    """stdout is for log lines alone."""
    instance.quiet = True


@signals.before_task_publish.connect
def send_request_id(headers: dict[str, Any], **_: Any) -> None:
    headers.setdefault(REQUEST_ID_HEADER, current_request_id())


@signals.task_prerun.connect
def begin_task(task_id: str, task: Any, **_: Any) -> None:
    begin_request(getattr(task.request, REQUEST_ID_HEADER, None))
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)
    _started[task_id] = time.perf_counter()


@signals.task_postrun.connect
def end_task(task_id: str, task: Any, **_: Any) -> None:
    started = _started.pop(task_id, None)
    if started is not None:
        TASK_SECONDS.labels(task.name).observe(time.perf_counter() - started)
    structlog.contextvars.clear_contextvars()


@signals.task_failure.connect
def count_failure(sender: Any, **_: Any) -> None:
    TASK_FAILURES.labels(sender.name).inc()


@signals.worker_process_shutdown.connect
def forget_process(pid: int, **_: Any) -> None:
    """Live gauges of a process that ended would be shown for ever."""
    if values.ValueClass is not values.MutexValue:
        multiprocess.mark_process_dead(pid)
