"""The private topic `notifications:<user name>` of the live sockets: what a person was told last.

Named in settings.LIVE_TOPIC_PROVIDERS, so that the hub below need not know of notifications.
"""

from channels.db import database_sync_to_async

from accounts.models import User
from notifications.selectors import numbered_state, state_topic


class NotificationsTopic:
    """Answers for every topic that starts with `notifications:`."""

    async def may_subscribe(self, user: User, topic: str) -> bool:
        return topic == state_topic(user.username)

    async def snapshot(self, topic: str) -> tuple[str, int, object]:
        """(epoch, number, data). Call only after may_subscribe said yes."""
        user = await User.objects.aget(username=topic.partition(":")[2])
        numbered = await database_sync_to_async(numbered_state)(user)
        return numbered.epoch, numbered.seq, numbered.data
