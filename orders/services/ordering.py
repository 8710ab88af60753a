"""Orders that people and programs place, change and cancel."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.models import User
from core.domain.clock import NANOSECONDS_PER_SECOND, to_ns
from core.domain.errors import Refusal
from core.domain.ids import derived_id, new_id
from core.services.idempotency import Claim
from orders.domain import commands
from orders.domain.order_changes import OrderChanges
from orders.domain.order_request import OrderSpec
from orders.domain.replies import CanceledReply, OrderReply
from orders.domain.values import Side
from orders.domain.views import OrderView
from orders.models import Order
from orders.selectors.groups import nested_order_view
from orders.selectors.trailing import with_peaks
from orders.services.asking import CLOCK, ask, wait_for_commits
from portfolio.models import TradingAccount
from risk.domain.reasons import DenialReason

GOOD_FOR_SECONDS = settings.ENGINE_REPLY_TIMEOUT_SECONDS - 1
"""How long an order may wait for the engine: a commit later, its client is still listening."""


def submit_order(
    *,
    account: TradingAccount,
    spec: OrderSpec,
    submitted_by: User,
    request_id: str,
    claim: Claim | None = None,
    key_id: str = "",
) -> OrderView:
    """Place an order; returns it as committed. Refusal when a rule turns it down.

    Under a claim that was taken over the order may be there already: then it is the answer.
    """
    command = submit_command(
        account_id=account.pk,
        spec=spec,
        submitted_by_id=submitted_by.pk,
        request_id=request_id,
        claimed=claimed_order(claim) if claim else None,
        key_id=key_id,
    )
    return _place(command)


def _place(command: commands.SubmitOrder | commands.ReplaceOrder) -> OrderView:
    """The order as committed, now or by an earlier try of the same command."""
    try:
        reply = ask(command)
    except Refusal as refusal:
        order = placed_before(command, refusal)
        if order is None:
            raise
        return order
    assert isinstance(reply, OrderReply)
    return reply.order


class ClaimedOrder(NamedTuple):
    """The id that a claim gives to an order, and since when the claim is worked on."""

    order_id: UUID
    since_ns: int


def claimed_order(claim: Claim, number: int = 0) -> ClaimedOrder:
    """The `number`th order of the act that the claim is for: every try of it draws the same id."""
    assert claim.drawn_id is not None
    assert claim.claimed_at is not None
    return ClaimedOrder(derived_id(claim.drawn_id, number), to_ns(claim.claimed_at))


def placed_before(
    command: commands.SubmitOrder | commands.ReplaceOrder, refusal: Refusal
) -> OrderView | None:
    """The order itself, when it was refused because an earlier try of it had placed it."""
    if refusal.reason is not DenialReason.CLIENT_ORDER_ID_DUPLICATE:
        return None
    if refusal.facts.get("order_id") != str(command.order_id):
        return None
    orders = Order.objects.filter(pk=command.order_id).select_related("instrument")
    order = with_peaks(orders).first()
    return nested_order_view(order) if order else None


def submit_command(
    *,
    account_id: int,
    spec: OrderSpec,
    submitted_by_id: int,
    request_id: str,
    claimed: ClaimedOrder | None = None,
    key_id: str = "",
) -> commands.SubmitOrder:
    """The engine's command for `spec`, good for as long as we wait for it, with a new order id or
    the claimed one. A claimed order always has a client order id: by this the engine knows for ever
    that it was placed.
    """
    now_ns = CLOCK.now_ns()
    order_id, since_ns = claimed or (new_id(now_ns), now_ns)
    return commands.SubmitOrder(
        order_id=order_id,
        account_id=account_id,
        symbol=spec.symbol,
        client_order_id=spec.client_order_id or (str(order_id) if claimed else ""),
        side=spec.side,
        type=spec.type,
        time_in_force=spec.time_in_force,
        quantity=spec.quantity,
        limit_price=spec.limit_price,
        stop_price=spec.stop_price,
        trail_price=spec.trail_price,
        trail_percent=spec.trail_percent,
        display_quantity=spec.display_quantity,
        notional=spec.notional,
        strategy=spec.strategy,
        stp_mode=spec.stp_mode,
        post_only=spec.post_only,
        reduce_only=spec.reduce_only,
        deadline_ns=spec.deadline_ns,
        expires_ns=None if spec.expires_at is None else to_ns(spec.expires_at),
        group=spec.group,
        submitted_by_id=submitted_by_id,
        request_id=request_id,
        key_id=key_id,
        good_until_ns=since_ns + GOOD_FOR_SECONDS * NANOSECONDS_PER_SECOND,
    )


def replace_order(
    *,
    account: TradingAccount,
    order_id: UUID,
    changes: OrderChanges,
    submitted_by: User,
    request_id: str,
    claim: Claim | None = None,
) -> OrderView:
    """Put a new order in the place of an open one; returns the new one as committed. Claims as
    with submit_order.
    """
    return _place(
        replace_command(
            account_id=account.pk,
            order_id=order_id,
            changes=changes,
            submitted_by_id=submitted_by.pk,
            request_id=request_id,
            claim=claim,
        )
    )


def replace_command(
    *,
    account_id: int,
    order_id: UUID,
    changes: OrderChanges,
    submitted_by_id: int,
    request_id: str,
    claim: Claim | None = None,
) -> commands.ReplaceOrder:
    """The engine's command for `changes`, good for as long as we wait for it."""
    now_ns = CLOCK.now_ns()
    new_order_id, since_ns = claimed_order(claim) if claim else (new_id(now_ns), now_ns)
    return commands.ReplaceOrder(
        order_id=new_order_id,
        replaces=order_id,
        account_id=account_id,
        client_order_id=changes.client_order_id or (str(new_order_id) if claim else ""),
        submitted_by_id=submitted_by_id,
        request_id=request_id,
        good_until_ns=since_ns + GOOD_FOR_SECONDS * NANOSECONDS_PER_SECOND,
        quantity=changes.quantity,
        limit_price=changes.limit_price,
        stop_price=changes.stop_price,
        trail=changes.trail,
        time_in_force=changes.time_in_force,
    )


def amend_order(
    *, account: TradingAccount, order_id: UUID, quantity: Decimal, request_id: str
) -> OrderView:
    """Lower an open order's quantity, in its place; returns it as committed."""
    reply = ask(commands.AmendOrder(order_id, account.pk, quantity, request_id))
    assert isinstance(reply, OrderReply)
    return reply.order


def find_order(find: Callable[[], Order | None]) -> Order | None:
    """What `find` reads; if that is nothing, what it reads once everything is committed that the
    engine has taken by now. Refusal (503) when the engine does not say so.

    An order whose outcome is unknown is found or is not there and never will be: after
    `good_until_ns` the engine takes it no more, so by now it is in a commit or nowhere.
    """
    order = find()
    if order is None:
        wait_for_commits()
        order = find()
    return order


def cancel_order(*, account: TradingAccount, order_id: UUID, request_id: str) -> OrderView:
    """Cancel one open order of the account; returns it as committed."""
    reply = ask(commands.CancelOrder(order_id, account.pk, request_id))
    assert isinstance(reply, CanceledReply)
    return reply.orders[0]


def cancel_all_orders(
    *,
    account: TradingAccount,
    request_id: str,
    symbols: Sequence[str] = (),
    side: Side | None = None,
) -> list[OrderView]:
    """Cancel every open order of the account, or those in these symbols and of this side; returns
    those that were open.
    """
    reply = ask(commands.CancelAllOrders(account.pk, request_id, tuple(symbols), side))
    assert isinstance(reply, CanceledReply)
    return reply.orders
