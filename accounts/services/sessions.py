"""Signing in and out: password, second factor, and the end of a session with its open sockets."""

from enum import Enum, auto

import structlog
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django_otp import login as remember_device
from django_otp import match_token

from accounts.domain.lockout import FAILURE_LIMIT
from accounts.models import User
from accounts.services.lockout import TooManyAtOnceError, one_at_a_time
from accounts.services.sockets import close_sockets
from core.domain.origin import Origin
from core.services import audit

logger = structlog.get_logger(__name__)
NOBODY = "(unknown user)"


class SignIn(Enum):
    DONE = auto()
    REFUSED = auto()
    BUSY = auto()


def sign_in(*, request: HttpRequest, username: str, password: str, origin: Origin) -> SignIn:
    """Check the password and start a new session; the answer does not tell why it was refused.

    Counts the failure, locks after five (per user name and address) and writes the audit trail. A
    second factor, when the user has one, is still to come.
    """
    try:
        with one_at_a_time(username, origin.address):
            user = authenticate(request, username=username, password=password)
            if not isinstance(user, User):
                _record_failure(request, username, origin)
                return SignIn.REFUSED
            login(request, user)  # gives the session a new key
            audit.record(actor=user, action="SignedIn", target=user.username, origin=origin)
    except TooManyAtOnceError:
        return SignIn.BUSY
    return SignIn.DONE


def pass_second_factor(*, request: HttpRequest, user: User, token: str, origin: Origin) -> bool:
    """Take a one-time code; true when it was right, unused and not asked for too fast.

    The session gets a new key again: one that was seen before the second factor opens nothing.
    """
    device = match_token(user, token)  # locks the devices, so a code has one winner
    audit.record(
        actor=user,
        action="SecondFactorRefused" if device is None else "SecondFactorPassed",
        target=user.username,
        origin=origin,
    )
    if device is None:
        return False
    remember_device(request, device)
    request.session.cycle_key()
    rotate_token(request)
    return True


def sign_out(*, request: HttpRequest, origin: Origin) -> None:
    """End this session everywhere: its row, its cache entry and its open sockets."""
    user = request.user
    session_key = request.session.session_key
    if not isinstance(user, User) or session_key is None:
        logout(request)
        return
    user_id = user.pk  # request.user becomes nobody in logout
    audit.record(actor=user, action="SignedOut", target=user.username, origin=origin)
    logout(request)
    close_sockets(user_id, session_key)


def _record_failure(request: HttpRequest, username: str, origin: Origin) -> None:
    """One entry per counted failure, one for the lock it starts; none for tries while locked."""
    known = User.objects.filter(username=username).first()
    # People type passwords into the wrong field: a name that is nobody's is not written down.
    target = NOBODY if known is None else known.username
    failures = getattr(request, "axes_failures_since_start", None)
    if failures is None:
        logger.info("sign_in_while_locked", target=target)
        return
    audit.record(
        actor=None,
        action="SignInFailed",
        target=target,
        facts={"failures": failures},
        origin=origin,
    )
    if failures >= FAILURE_LIMIT:
        audit.record(actor=None, action="SignInLocked", target=target, origin=origin)
