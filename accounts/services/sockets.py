"""Tells the open sockets of a user, through the Channels layer, that they are no longer welcome."""

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from accounts.domain.sockets import SIGNED_OUT, session_mark, user_group

logger = structlog.get_logger(__name__)


def close_sockets(user_id: int, session_key: str | None = None) -> None:
    """Tell the user's open sockets to close: those of one session, or all of them.

    Without Redis no socket can be told; each then ends at its own check of the session.
    """
    message = {
        "type": SIGNED_OUT,
        "session": None if session_key is None else session_mark(session_key),
    }
    try:
        async_to_sync(get_channel_layer().group_send)(user_group(user_id), message)
    except (RedisError, OSError) as error:
        logger.warning("sockets_not_told", user_id=user_id, error=str(error))
