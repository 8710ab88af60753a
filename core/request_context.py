"""The request id that follows one request through logs, the engine, events and notifications."""

import re
from contextvars import ContextVar
from uuid import uuid4

import structlog

MAX_REQUEST_ID_LENGTH = 64
_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request being served here, or an empty string outside of one."""
    return _current.get()


def begin_request(offered: str | None) -> str:
    """Take the client's X-Request-ID when harmless, else make one; bind it to the log lines."""
    request_id = offered if offered and _SAFE.fullmatch(offered) else uuid4().hex
    _current.set(request_id)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id
