"""The rules that django-axes follows here: how long a lock lasts, and who waits for whom.

Axes counts failures per user name and address in the database. It is given a lock that grows. Its
middleware is left out: the sign-in page answers, and looks the same locked or not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.db import OperationalError, connection, transaction
from django.db.models import Sum
from django.http import HttpRequest

from accounts.domain.lockout import LONGEST_LOCK, lock_duration
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.request_context import client_address_of
from core.services import audit

WAIT_FOR_OTHERS = timedelta(seconds=3)


class TooManyAtOnceError(Exception):
    """Other attempts with this user name from this address are still being checked."""


class LockoutHandler(AxesDatabaseHandler):
    """Axes' own handler deletes everyone's failures that are older than this client's lock."""

    def clean_expired_user_attempts(
        self, request: HttpRequest | None = None, credentials: dict[str, Any] | None = None
    ) -> int:
        horizon = SystemClock().now() - LONGEST_LOCK
        deleted, _ = AccessAttempt.objects.filter(attempt_time__lt=horizon).delete()
        return deleted


def cool_off(request: HttpRequest | None) -> timedelta:
    """How long failures count against this client: the more, the longer (AXES_COOLOFF_TIME)."""
    if request is None:
        return LONGEST_LOCK
    failures = AccessAttempt.objects.filter(
        username=request.POST.get("username", ""), ip_address=client_address_of(request)
    ).aggregate(total=Sum("failures_since_start"))["total"]
    return lock_duration(failures or 0)


@contextmanager
def one_at_a_time(username: str, address: str | None) -> Iterator[None]:
    """Check one password at a time per user name and address, so that no burst outruns the count.

    TooManyAtOnceError after three seconds of waiting.
    """
    with transaction.atomic():
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, true)",
                    [f"{int(WAIT_FOR_OTHERS.total_seconds() * 1000)}ms"],
                )
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    [f"sign-in {address} {username}"],
                )
        except OperationalError as error:
            raise TooManyAtOnceError from error
        yield


def lift_lock(*, username: str, reason: str, actor: Any, origin: Origin) -> int:
    """Forget all failed sign-ins of a user name; how many records there were."""
    with transaction.atomic():
        deleted, _ = AccessAttempt.objects.filter(username=username).delete()
        audit.record(
            actor=actor,
            action="SignInUnlocked",
            target=username,
            reason=reason,
            facts={"records": deleted},
            origin=origin,
        )
    return int(deleted)
