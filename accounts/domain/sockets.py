"""How an open socket learns that its session has ended, without anyone passing session keys about.

Message on the Channels group `user.{id}`: {"type": "user.signed_out", "session": mark or None}.
A consumer closes (4401) when the mark is its own, or None, which means every session of the user.
"""

import hashlib

SIGNED_OUT = "user.signed_out"


def user_group(user_id: int) -> str:
    """The Channels group of one person's sockets."""
    return f"user.{user_id}"


def session_mark(session_key: str) -> str:
    """A name for a session that does not open it."""
    return hashlib.sha256(f"session mark {session_key}".encode()).hexdigest()[:32]
