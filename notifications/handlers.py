"""What notifications does with events of the log; subscribed in tradeportal.subscriptions."""

from collections.abc import Sequence
from datetime import datetime

from core.events import RecordedEvent
from notifications.domain.account_events import read_account_event
from notifications.services.telling import News, tell


def tell_account_people(events: Sequence[RecordedEvent], now: datetime) -> None:
    """Tell the owner and the members of each account: complete fills, orders that ended after a
    partial fill, and adjustments of cash by an operator.
    """
    tell([News(event.id, read_account_event(event.payload)) for event in events], now)
