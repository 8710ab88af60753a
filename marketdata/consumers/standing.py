"""Whether the person behind an open socket is still signed in: sockets outlive what opened them."""

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from accounts.models import User
from accounts.selectors import is_session_complete
from core.sessions import SessionStore


def is_still_signed_in(user_id: int, session_key: str) -> bool:
    """The session exists and is this user's, who is active, verified and has the same password.

    Asks the database; blocks.
    """
    session = SessionStore(session_key)
    if session.get(SESSION_KEY) != str(user_id):
        return False
    user = User.objects.filter(pk=user_id).first()
    if user is None or not constant_time_compare(
        session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    ):
        return False
    return is_session_complete(user, session)
