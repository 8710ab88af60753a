"""The fast engine's answers and events in the words of the slow one (tests/reference), so that the
two can be compared as they are: money in fractions, prices and quantities in ticks and lots.
"""

from fractions import Fraction
from uuid import UUID

from core.domain.units import UNITS_PER_ONE
from orders.domain.replies import (
    AnyReply,
    BalanceReply,
    BatchReply,
    CanceledReply,
    CheckedReply,
    DeadManReply,
    DeniedReply,
    DoneReply,
    LimitReply,
    OrderReply,
    SwitchedReply,
)
from orders.domain.views import AccountEvent, OrderView
from orders.engine.state import EngineState
from tests.reference.engine import ReferenceEngine
from tests.reference.state import HOUSE as THE_HOUSE
from tests.reference.state import Order, Told
from tests.simulation.floor import HOUSE

OPEN = frozenset({"HELD", "QUEUED", "ACCEPTED", "TRIGGERED", "PARTIALLY_FILLED"})

Seen = tuple[UUID, str, Fraction, str | None]


def money(units: int) -> Fraction:
    return Fraction(units, UNITS_PER_ONE)


class Words:
    """Reads what the fast engine of `state` says about orders that the slow one knows too."""

    def __init__(self, reference: ReferenceEngine, state: EngineState) -> None:
        self._reference = reference
        self._accounts = {item.public_id: item.id for item in state.accounts.values()}
        self._terms = {item.symbol: item for item in reference.terms}

    def answer(self, reply: AnyReply) -> object:
        match reply:
            case DeniedReply():
                return reply.reason
            case OrderReply():
                return self._seen(reply.order)
            case CanceledReply():
                return [self._seen(order) for order in reply.orders]
            case DeadManReply():
                return ("WATCHED", reply.fires_ns)
            case BatchReply():
                return ("BATCH", [self.answer(part) for part in reply.replies])
            case LimitReply():
                return ("LIMIT", reply.version)
            case CheckedReply():
                return ("CHECKED", reply.last)
            case BalanceReply() | DoneReply():
                return "BALANCE" if isinstance(reply, BalanceReply) else "DONE"
            case SwitchedReply():
                return ("SWITCHED", reply.state, reply.version, reply.canceled)
        raise AssertionError(reply)

    def told(self, event: AccountEvent) -> Told:
        account = self._accounts[event.account_id]
        total, locked = Fraction(event.balance.total), Fraction(event.balance.locked)
        if event.order is None:
            who = THE_HOUSE if account == HOUSE else account
            if event.market_state is not None:
                market = event.market_state
                return (event.event, who, market.symbol, market.state, total, locked)
            return (event.event, who, total, locked)
        order_id, status, filled, _ = self._seen(event.order)
        where, fill = self._terms[event.order.symbol], event.execution
        return (
            event.event,
            account,
            order_id,
            status,
            filled,
            (
                Fraction(fill.price) / where.tick,
                Fraction(fill.quantity) / where.lot,
                fill.side,
                Fraction(fill.fee),
            )
            if fill
            else None,
            total,
            locked,
            Fraction(event.order.quantity) / where.lot,
        )

    def _seen(self, view: OrderView) -> Seen:
        order = self._order(UUID(view.id))
        filled = Fraction(view.filled_quantity)
        leaves = Fraction(0)
        if view.status in OPEN:
            leaves = Fraction(view.quantity) - filled - Fraction(view.prevented_quantity)
        assert view.stp_mode == order.stp_mode
        assert Fraction(view.leaves_quantity) == leaves
        return (order.id, view.status, filled / order.terms.lot, view.reason)

    def _order(self, order_id: UUID) -> Order:
        return next(order for order in self._reference.orders if order.id == order_id)
