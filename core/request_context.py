"""What is known about the request being served: where it came from, and the id that follows it."""

import re
from contextvars import ContextVar
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest

from core.domain.ids import random_bytes
from core.domain.origin import Origin, client_address

MAX_REQUEST_ID_LENGTH = 64
_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request being served here, or an empty string outside of one."""
    return _current.get()


def begin_request(offered: str | None) -> str:
    """Take the client's X-Request-ID when harmless, else make one. Log lines show it."""
    request_id = offered if offered and _SAFE.fullmatch(offered) else random_bytes().hex()
    _current.set(request_id)
    return request_id


def client_address_of(request: HttpRequest) -> str | None:
    """The client's address; of X-Forwarded-For only what PORTAL_PROXY_COUNT proxies wrote."""
    return client_address(
        request.META.get("REMOTE_ADDR"),
        request.headers.get("X-Forwarded-For"),
        settings.PROXY_COUNT,
    )


def origin_of(request: HttpRequest, now: datetime) -> Origin:
    """Who asked and when, for the audit trail."""
    return Origin(now=now, address=client_address_of(request), request_id=current_request_id())
