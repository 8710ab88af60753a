"""Who hears what: the one table from event to handler, read by the outbox relay.

A name is stored with every event its handler has taken, so it never changes; a new name would take
the whole log again. A handler takes events in order and runs inside the relay's transaction.
"""

from core.events import EventKind
from notifications.handlers import tell_account_people
from tradeportal.relay import Subscription

SUBSCRIPTIONS = (
    Subscription(
        name="notifications.tell_account_people",
        kinds=frozenset(
            {
                EventKind.ORDER_FILLED,
                EventKind.ORDER_CANCELED,
                EventKind.ORDER_EXPIRED,
                EventKind.CASH_ADJUSTED,
                EventKind.TRADING_HALTED,
                EventKind.TRADING_RESTRICTED,
                EventKind.TRADING_RESUMED,
                EventKind.MARKET_STATE_CHANGED,
                EventKind.MARGIN_CALLED,
                EventKind.FORCED_CLOSING_STARTED,
                EventKind.MARGIN_CALL_MET,
            }
        ),
        handler=tell_account_people,
    ),
)
