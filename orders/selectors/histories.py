"""Everything that is known of one order: its events, its fills, what it replaced and was replaced
by.

Events are found by their account's numbers: those between the order's acceptance and its end. There
is no index from an order to its events, which each order would have to pay for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from accounts.models import User
from accounts.selectors import may_read_all_accounts
from core.domain.decimals import to_wire
from core.models import AuditEntry, Event
from orders.domain.levels import MARK, MARKET, STOP, Level
from orders.domain.reasons import CloseReason
from orders.domain.views import AccountEvent, ExecutionView, OrderView
from orders.models import Execution, Order
from orders.selectors import execution_view, order_view, order_visible_to
from orders.selectors.groups import group_levels, group_of
from orders.selectors.trailing import trail_of, with_peaks
from portfolio.selectors import mark_prices

MAX_CHAIN = 50
MAX_EVENTS = 500
MAX_EXECUTIONS = 500
MAX_SCANNED = 100_000
"""An order that was open while its account had more events than this shows the newest part."""

MARGIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHistory:
    """Oldest first, all of it. `chain` has the order itself among those that it replaced and that
    replaced it; `executions` are those of the whole chain. `group` has the orders of its group, the
    entry first, and `levels` their prices, or those of a trailing stop.
    """

    order: OrderView
    placed_by: str
    key_id: str
    account_name: str
    account_id: str
    currency: str
    price_digits: int
    events: Sequence[AccountEvent]
    operators_reason: str
    is_cut: bool
    executions: Sequence[ExecutionView]
    chain: Sequence[OrderView]
    group: Sequence[OrderView] = ()
    levels: Sequence[Level] = ()


def order_readable_by(user: User, order_id: UUID) -> Order | None:
    """The order, if `user` may see its account: as owner or member, or by a role that reads all."""
    order = order_visible_to(user, order_id)
    if order is None and may_read_all_accounts(user):
        rows = with_peaks(Order.objects.select_related("instrument", "account"))
        order = rows.filter(pk=order_id).first()
    return order


def history_of(order: Order) -> OrderHistory:
    """Everything of the order as it stands now."""
    chain, group = _chain(order), group_of(order)
    events, is_cut = _events(order)
    executions = Execution.objects.filter(order__in=[row.pk for row in chain])
    rows = executions.select_related("instrument").order_by("id")[:MAX_EXECUTIONS]
    placed_by = User.objects.filter(pk=order.submitted_by_id).values_list("username", flat=True)
    return OrderHistory(
        order=order_view(order),
        placed_by=placed_by.first() or "",
        key_id=order.submitted_key,
        account_name=order.account.name,
        account_id=str(order.account.public_id),
        currency=order.account.currency_id,
        price_digits=len(to_wire(order.instrument.tick_size).partition(".")[2]),
        events=events,
        operators_reason=_operators_reason(order),
        is_cut=is_cut,
        executions=[execution_view(row) for row in rows],
        chain=[order_view(row) for row in chain],
        group=[order_view(row) for row in group],
        levels=group_levels(group) or _trail_levels(order),
    )


def _trail_levels(order: Order) -> list[Level]:
    """The mark and the stop price of a trailing stop, and between them, while it waits, the
    market.
    """
    stop_price, mark = trail_of(order)
    if stop_price is None or mark is None:
        return []
    symbol = order.instrument.symbol
    market = mark_prices([symbol]).get(symbol) if order.closed_at is None else None
    levels = [Level(MARK, mark), Level(STOP, stop_price)]
    return levels if market is None else [*levels, Level(MARKET, market)]


def _operators_reason(order: Order) -> str:
    """Why an operator canceled the order: the audit entry of the same commit (C4)."""
    if order.reason != CloseReason.OPERATOR_REQUESTED.value:
        return ""
    assert order.closed_at is not None  # it has a reason
    entries = AuditEntry.objects.filter(occurred_at=order.closed_at, target=f"order:{order.pk}")
    return entries.values_list("reason", flat=True).first() or ""


def _chain(order: Order) -> list[Order]:
    rows = with_peaks(Order.objects.filter(account=order.account_id)).select_related("instrument")
    before: list[Order] = []
    first = order
    while first.replaces is not None and len(before) < MAX_CHAIN:
        first = rows.get(pk=first.replaces)
        before.append(first)
    after: list[Order] = []
    last = order
    while last.replaced_by is not None and len(after) < MAX_CHAIN:
        last = rows.get(pk=last.replaced_by)
        after.append(last)
    return [*reversed(before), order, *after]


def _events(order: Order) -> tuple[list[AccountEvent], bool]:
    """The order's events, and whether a part of the time was too long ago to look at."""
    of_account = Event.objects.filter(account_id=order.account_id)
    last = of_account.order_by("-account_sequence").values_list("account_sequence", flat=True)
    end = (last.first() or 0) + 1
    start = _first_at(order.account_id, order.submitted_at - MARGIN, end)
    if order.closed_at is not None:
        end = _first_at(order.account_id, order.closed_at + MARGIN, end)
    scanned = max(start, end - MAX_SCANNED)
    within = of_account.filter(account_sequence__gte=scanned, account_sequence__lt=end)
    told = within.alias(tells_of=KeyTextTransform("id", KeyTransform("order", "payload")))
    rows = told.filter(tells_of=str(order.pk)).order_by("account_sequence")[:MAX_EVENTS]
    return [msgspec.convert(row.payload, type=AccountEvent) for row in rows], scanned > start


def _first_at(account_id: int, moment: datetime, end: int) -> int:
    """The number of the account's first event at `moment` or later; `end` when there is none.
    Numbers have no gaps and rise with time, so it is found by halving.
    """
    low, high = 1, end
    while low < high:
        middle = (low + high) // 2
        row = Event.objects.filter(account_id=account_id, account_sequence=middle)
        occurred_at = row.values_list("occurred_at", flat=True).first()
        if occurred_at is not None and occurred_at >= moment:
            high = middle
        else:
            low = middle + 1
    return low
