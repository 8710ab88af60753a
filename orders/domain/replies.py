"""What the engine answers, after the batch that made it true was committed."""

import msgspec

from orders.domain.views import BalanceView, OrderView


class Reply(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of every reply."""


class OrderReply(Reply, frozen=True, array_like=True, tag="order"):
    """The order as it stands after the command."""

    order: OrderView


class CanceledReply(Reply, frozen=True, array_like=True, tag="canceled"):
    """The orders that the command canceled."""

    orders: list[OrderView]


class BalanceReply(Reply, frozen=True, array_like=True, tag="balance"):
    balance: BalanceView


class DoneReply(Reply, frozen=True, array_like=True, tag="done"):
    """The command took effect (or had none to take)."""


class DeniedReply(Reply, frozen=True, array_like=True, tag="denied"):
    """Refused by rule: nothing changed."""

    reason: str
    sentence: str
    facts: dict[str, str]


class BusyReply(Reply, frozen=True, array_like=True, tag="busy"):
    """The engine has too much to do; the command was not taken and may be sent again."""


class BatchReply(Reply, frozen=True, array_like=True, tag="batch"):
    """What each order of an OrderBatch came to, in its order."""

    replies: list[OrderReply | CanceledReply | DeniedReply | BusyReply]


class SwitchedReply(Reply, frozen=True, array_like=True, tag="switched"):
    """The scope's state and the number of its last switch, and how many orders this one cancels."""

    state: str
    version: int
    canceled: int


class LimitReply(Reply, frozen=True, array_like=True, tag="limit"):
    """The limit stands as asked; `version` is the number of its last change."""

    version: int


class HeadroomView(msgspec.Struct, frozen=True):
    """One limit on an order's path: what it is, and what it would come to with the order (None: the
    order takes nothing of it).
    """

    scope: str
    kind: str
    symbol: str | None
    limit: str
    would_be: str | None


class OutlookView(msgspec.Struct, frozen=True):
    """What the order would be once it is in: its quantity, and of a trailing stop where its mark
    and its stop price begin.

    `call_side` tells on which side of `call_price` the order's account is called for margin: below
    or above it; empty for a cash account and one that would hold nothing of the instrument. No
    price: at none.
    """

    quantity: str
    stop_price: str | None = None
    hwm: str | None = None
    call_side: str = ""
    call_price: str | None = None


class WhatIfReply(Reply, frozen=True, array_like=True, tag="what_if"):
    """What would refuse the order, if anything, every limit that judges it, and what it would be;
    no outlook where its terms are wrong already.
    """

    denied: DeniedReply | None
    limits: list[HeadroomView]
    outlook: OutlookView | None = None


class UsageReply(Reply, frozen=True, array_like=True, tag="usage"):
    """What limits come to, in units, by their keys as texts; some count nothing."""

    used: dict[str, int]


class DeadManReply(Reply, frozen=True, array_like=True, tag="dead_man"):
    """When the engine took the command, and when the orders are canceled (None: never)."""

    now_ns: int
    fires_ns: int | None


class CheckedReply(Reply, frozen=True, array_like=True, tag="checked"):
    """The last margin account that was looked at; 0: there are no more."""

    last: int


AnyReply = (
    BusyReply
    | OrderReply
    | CanceledReply
    | BalanceReply
    | DoneReply
    | DeniedReply
    | BatchReply
    | SwitchedReply
    | LimitReply
    | WhatIfReply
    | UsageReply
    | DeadManReply
    | CheckedReply
)
