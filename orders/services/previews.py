"""What the ticket is told before it is sent: the engine's own verdict and the limits of the order's
path (docs/risk.md M15), with an estimate of price, fee and gains by what the portal can see.

Without an engine the estimate and its own checks (orders/domain/preview.py) are all there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from core.domain.errors import Refusal
from marketdata.models import Instrument
from orders.domain.levels import MARKET, Level, Position, exit_level
from orders.domain.order_class import GroupTerms, Leg, OrderClass
from orders.domain.order_request import OrderSpec
from orders.domain.preview import Preview
from orders.domain.preview_checks import DraftOrder
from orders.domain.replies import DeniedReply, HeadroomView, OutlookView, WhatIfReply
from orders.domain.values import OrderType, Side, StpMode
from orders.selectors.previews import preview_order
from orders.services.limits import what_if
from portfolio.models import TradingAccount
from portfolio.selectors import average_entry_price, fee_rates_of, mark_prices, position_of
from risk.domain.limit_tree import LimitKind
from risk.domain.reasons import Denial, DenialReason


@dataclass(frozen=True, slots=True)
class TicketPreview:
    """`limits` are those that the order takes of, the tightest first; None: nobody could be
    asked. `is_known` is false for an order of which only the engine could tell what it comes to.
    """

    spec: OrderSpec
    seen: Preview
    denial: Denial | None
    is_known: bool = True
    limits: Sequence[HeadroomView] | None = None
    outlook: OutlookView | None = None
    levels: Sequence[Level] = ()

    @property
    def is_accepted(self) -> bool:
        return self.is_known and self.denial is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks, for which account, and for what."""

    account: TradingAccount
    instrument: Instrument
    spec: OrderSpec
    viewer: User
    request_id: str


def preview_ticket(asked: Asked, *, now: datetime) -> TicketPreview:
    """What the ticket's order would come to if it arrived now. Nothing is placed or counted."""
    told = _told(asked)
    outlook = told.outlook if told else None
    draft = _draft(asked, outlook)
    nothing = Preview(price=None, notional=None, takeable=Decimal(0), denial=None)
    seen = preview_order(asked.account, asked.instrument, draft, now=now) if draft else nothing
    return TicketPreview(
        spec=asked.spec,
        seen=seen,
        denial=_denial(told.denied) if told else seen.denial,
        is_known=told is not None or draft is not None,
        limits=None if told is None else by_tightness(told.limits),
        outlook=outlook,
        levels=_levels(asked, asked.spec.group, seen) if asked.spec.group else (),
    )


def _told(asked: Asked) -> WhatIfReply | None:
    """The engine's word; None while it cannot be reached."""
    try:
        return what_if(
            account=asked.account,
            spec=asked.spec,
            viewer=asked.viewer,
            request_id=asked.request_id,
        )
    except Refusal:
        return None


def _denial(denied: DeniedReply | None) -> Denial | None:
    return None if denied is None else Denial(DenialReason(denied.reason), dict(denied.facts))


def _draft(asked: Asked, outlook: OutlookView | None) -> DraftOrder | None:
    """The order in numbers; None for one that leaves them to an engine that has not told them."""
    spec = asked.spec
    quantity, stop_price, kind = spec.quantity, spec.stop_price, spec.type
    if spec.notional is not None:
        quantity = Decimal(outlook.quantity if outlook else 0)
    if kind is OrderType.TRAILING_STOP:  # until it moves, it is a stop where it begins
        kind = OrderType.STOP
        stop_price = Decimal(outlook.stop_price) if outlook and outlook.stop_price else None
    if not quantity or (kind is OrderType.STOP and stop_price is None):
        return None
    return DraftOrder(
        spec.side,
        kind,
        quantity,
        spec.limit_price,
        stop_price,
        time_in_force=spec.time_in_force,
        post_only=spec.post_only,
        reduce_only=spec.reduce_only,
        stp_mode=spec.stp_mode or StpMode(asked.account.stp_mode),
    )


def by_tightness(limits: Sequence[HeadroomView]) -> list[HeadroomView]:
    """Those that the order takes of and that have a measure, the fullest first."""
    taken = [
        limit
        for limit in limits
        if limit.would_be is not None and limit.kind != LimitKind.RESTRICTED.value.lower()
    ]
    return sorted(taken, key=share_of, reverse=True)


def share_of(limit: HeadroomView) -> Decimal:
    """How much of the limit would be used up: 1 is all of it."""
    value, used = Decimal(limit.limit), Decimal(limit.would_be or 0)
    if not value:
        return Decimal("Infinity") if used else Decimal(1)
    return used / value


# --- exits


def _levels(asked: Asked, group: GroupTerms, seen: Preview) -> list[Level]:
    """The order, its exits and the market, as far as each is known."""
    maker, taker = fee_rates_of(asked.account)
    position = _position(asked, group, seen)
    profit = asked.spec.limit_price if group.order_class is OrderClass.OCO else group.take_profit
    mark = mark_prices([asked.instrument.symbol]).get(asked.instrument.symbol)
    levels = []
    if profit is not None:
        levels.append(exit_level(Leg.TAKE_PROFIT, profit, position, maker))
    if position is not None:
        levels.append(Level(Leg.ENTRY.value, position.price))
    if group.stop_price is not None:
        levels.append(exit_level(Leg.STOP_LOSS, group.stop_price, position, taker))
    return levels if mark is None else [*levels, Level(MARKET, mark)]


def _position(asked: Asked, group: GroupTerms, seen: Preview) -> Position | None:
    """What the exits close: what the entry opens, or of a pair what there is."""
    spec = asked.spec
    if group.order_class is OrderClass.OCO:
        held = position_of(asked.account, asked.instrument)
        if held is None or not held.quantity:
            return None
        sign = 1 if held.quantity > 0 else -1
        return Position(average_entry_price(held), sign * spec.quantity)
    price = spec.limit_price or spec.stop_price or seen.price
    if price is None:
        return None
    sign = 1 if spec.side is Side.BUY else -1
    return Position(price, sign * spec.quantity, seen.fee or Decimal(0))
