"""Changes an open order as its owner asked on a page: amend or replace, whichever it takes."""

from decimal import Decimal

from accounts.models import User
from core.domain.errors import CODE_CONFLICT, ErrorReason, Refusal
from orders.domain.changing import ChangePlan, Wanted, plan_change
from orders.domain.views import OrderView
from orders.models import Order
from orders.selectors import order_view
from orders.services.asking import refusal_of
from orders.services.ordering import amend_order, replace_order
from risk.domain.reasons import Denial, DenialReason


def change_order(
    *,
    order: Order,
    wanted: Wanted,
    seen_filled: Decimal | None,
    submitted_by: User,
    request_id: str,
) -> OrderView:
    """The order, or its successor, as committed. Refusal when nothing would change, when a rule
    forbids it, and when the order has filled more than whoever asks has seen: what it shall still
    fill was meant for what had filled by then.
    """
    now = order_view(order)
    plan = plan_or_refuse(now, wanted)
    if seen_filled is not None and seen_filled != order.filled_quantity:
        raise _filled_meanwhile(now)
    if plan.amended is not None:
        return amend_order(
            account=order.account,
            order_id=order.pk,
            quantity=plan.amended,
            request_id=request_id,
        )
    return replace_order(
        account=order.account,
        order_id=order.pk,
        changes=plan.changes,
        submitted_by=submitted_by,
        request_id=request_id,
    )


def plan_or_refuse(order: OrderView, wanted: Wanted) -> ChangePlan:
    """How the change is made; Refusal when the order is not open or would stay as it is, and when
    more than prices of an order of a group would change.
    """
    if order.closed_at is not None:
        raise _refusal(DenialReason.ORDER_NOT_OPEN)
    plan = plan_change(order, wanted)
    if plan is None:
        raise _refusal(DenialReason.ORDER_UNCHANGED)
    if order.group is not None and not plan.is_of_prices:
        raise _refusal(DenialReason.GROUP_TERMS_FIXED)
    return plan


def _refusal(reason: DenialReason) -> Refusal:
    return refusal_of(reason, {}, Denial(reason, {}).sentence)


def _filled_meanwhile(order: OrderView) -> Refusal:
    return Refusal(
        status=409,
        code=CODE_CONFLICT,
        reason=ErrorReason.CONFLICT,
        message=f"The order has filled {order.filled_quantity} meanwhile, and"
        f" {order.leaves_quantity} are left. Nothing was changed; look at it anew.",
        facts={"filled": order.filled_quantity, "leaves": order.leaves_quantity},
    )
