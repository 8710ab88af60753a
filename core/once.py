"""A request with an Idempotency-Key is done once, whatever is sent again or cut off on its way.

Around the views that make something: docs/requests.md. The claim lies in core.services.idempotency;
here is what a request is, which answers are kept, and how they are told again.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from core.api import StrictJsonParser, refusal_body
from core.domain import strict_json
from core.domain.clock import SystemClock
from core.domain.errors import ErrorReason, Refusal
from core.domain.ids import new_id
from core.services import idempotency
from core.services.idempotency import Claim, StoredAnswer

CLOCK = SystemClock()
WORKED_ON = timedelta(seconds=settings.ENGINE_REPLY_TIMEOUT_SECONDS)
"""How long a request may be at work: no order that it sends is taken after that (SubmitOrder)."""

HEADER = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description='a quoted string, such as "8e03978e": the same request is done once',
)


def read_body(request: Request) -> bytes:
    """The body of a JSON request. DRF itself takes a body without Content-Length for none."""
    if request._request.content_type != StrictJsonParser.media_type:
        raise UnsupportedMediaType(request._request.content_type or "")
    return request._request.read(strict_json.MAX_BODY_BYTES + 1)


def once(
    request: Request, body: bytes, target: str, act: Callable[[Claim | None], HttpResponse]
) -> HttpResponse:
    """What `act` answers; with an Idempotency-Key, what the first request with it was answered.

    `target` names what is acted upon: the key that is sent again for another account is another
    request. Refusals are kept too, except the one that says that nothing could be done. After an
    unknown outcome the claim stays, and the next request with the key takes it over.
    """
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return act(None)
    now_ns = CLOCK.now_ns()
    claim = idempotency.begin(
        user_id=cast(int, request.user.pk),
        key=idempotency.read_key(header),
        request_hash=idempotency.request_hash(
            method=cast(str, request.method), path=f"{request.path} {target}", body=body
        ),
        now=CLOCK.now(),
        drawn=idempotency.Drawn(new_id(now_ns), WORKED_ON),
    )
    if isinstance(claim, StoredAnswer):
        return _told_again(claim)
    try:
        response = act(claim)
    except Refusal as refusal:
        if refusal.reason is ErrorReason.UNAVAILABLE:
            idempotency.abandon(claim)
        elif refusal.reason is not ErrorReason.UNKNOWN_OUTCOME:
            idempotency.finish(claim, status=refusal.status, body=refusal_body(refusal))
        raise
    body_said = json.loads(response.content) if response.content else None
    idempotency.finish(claim, status=response.status_code, body=body_said)
    return response


def _told_again(stored: StoredAnswer) -> HttpResponse:
    if stored.body is None:
        return HttpResponse(status=stored.status)
    content = json.dumps(stored.body)
    return HttpResponse(content, status=stored.status, content_type="application/json")
