"""Reads which open orders an operator asks for: the parameters of the queue, on its page and in the
API.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from orders.domain.order_request import field_refusal

DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
WORKING: Final = "working"
WAITING_STOP: Final = "waiting_stop"
WAITING_AUCTION: Final = "waiting_auction"
WAITING_ENTRY: Final = "waiting_entry"
QUEUE_STATES: Final = (WORKING, WAITING_STOP, WAITING_AUCTION, WAITING_ENTRY)
"""What an open order does: in the book, waits for its stop price, for an auction, for its entry."""

_KNOWN = ("account", "symbol", "state", "after", "limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueQuery:
    """Which open orders: of an account (its public id), a symbol, a state; those accepted after the
    order with the number `after`, at most `size` of them.
    """

    account: UUID | None = None
    symbol: str = ""
    state: str = ""
    after: int = 0
    size: int = DEFAULT_PAGE


def read_queue_query(query: Mapping[str, str]) -> QueueQuery:
    """The query that the parameters ask for; a Refusal (422) names the first it cannot take."""
    for name in query:
        if name not in _KNOWN:
            raise field_refusal(name[:64], "is not a parameter here.")
    state = query.get("state", "")
    if state and state not in QUEUE_STATES:
        raise field_refusal("state", f"must be one of: {', '.join(QUEUE_STATES)}.")
    return QueueQuery(
        account=_account(query.get("account", "")),
        symbol=query.get("symbol", "")[:32],
        state=state,
        after=_number(query, "after", 0, 2**62),
        size=_number(query, "limit", DEFAULT_PAGE, MAX_PAGE) or DEFAULT_PAGE,
    )


def _account(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise field_refusal("account", "must be an account's id.") from error


def _number(query: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    text = query.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= maximum):
        raise field_refusal(name, f"must be a whole number up to {maximum}.")
    return int(text)
