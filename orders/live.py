"""The private topics `account:<id>` and `trails:<id>` of the live sockets: who may listen, and
their snapshots.

Named in settings.LIVE_TOPIC_PROVIDERS, so that the hub below need not know of accounts.
"""

from uuid import UUID

import msgspec
from channels.db import database_sync_to_async

from accounts.models import User
from marketdata.domain.live_requests import Position
from orders.selectors import account_events_from, account_snapshot
from orders.selectors.trailing import waiting_trails
from portfolio.models import TradingAccount
from portfolio.selectors import accounts_visible_to

EPOCH = "ledger"
"""Account events are rows: their numbering never starts again."""


class AccountTopic:
    """Answers for every topic that starts with `account:`."""

    async def may_subscribe(self, user: User, topic: str) -> bool:
        return await database_sync_to_async(_find)(user, topic) is not None

    async def snapshot(self, topic: str) -> tuple[str, int, object]:
        """(epoch, number of the last event in it, data). Call only after may_subscribe said yes."""
        account = await TradingAccount.objects.aget(public_id=topic.partition(":")[2])
        snapshot = await database_sync_to_async(account_snapshot)(account)
        data = msgspec.to_builtins(snapshot)
        return EPOCH, data.pop("sequence"), data

    async def missed(self, topic: str, since: Position, limit: int) -> list[bytes] | None:
        """The account's events after `since`, letter by letter as they were told."""
        account = await TradingAccount.objects.aget(public_id=topic.partition(":")[2])
        if since.epoch != EPOCH:
            return None
        told: list[bytes] | None = await database_sync_to_async(_events_after)(
            account, since.seq, limit
        )
        return told


class TrailsTopic:
    """Answers for every topic that starts with `trails:`: where trailing stops stand."""

    async def may_subscribe(self, user: User, topic: str) -> bool:
        return await database_sync_to_async(_find)(user, topic) is not None

    async def snapshot(self, topic: str) -> tuple[str, int, object]:
        """As stored. Of no epoch: whatever the engine says next is later."""
        account = await TradingAccount.objects.aget(public_id=topic.partition(":")[2])
        return "", 0, {"trails": await database_sync_to_async(waiting_trails)(account)}


def _events_after(account: TradingAccount, sequence: int, limit: int) -> list[bytes] | None:
    """None when there are more than `limit`, or the account has no event of that number."""
    first = max(sequence, 1)
    told = account_events_from(account, first, limit + 2)
    if [number for number, _ in told] != list(range(first, first + len(told))):
        return None
    if sequence and not told:
        return None
    payloads = [payload.encode() for _, payload in told][1 if sequence else 0 :]
    return payloads if len(payloads) <= limit else None


def _find(user: User, topic: str) -> TradingAccount | None:
    public_id = _public_id(topic)
    if public_id is None:
        return None
    return accounts_visible_to(user).filter(public_id=public_id).first()


def _public_id(topic: str) -> UUID | None:
    try:
        return UUID(topic.partition(":")[2])
    except ValueError:
        return None
