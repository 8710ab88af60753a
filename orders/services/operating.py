"""What operators do to other people's orders (docs/matching.md C4)."""

from uuid import UUID

from accounts.models import User
from accounts.selectors import may_cancel_any_order
from core.domain.errors import (
    CODE_NOT_FOUND,
    CODE_NOT_PERMITTED,
    ErrorReason,
    Refusal,
)
from core.domain.origin import Origin
from orders.domain import commands
from orders.domain.replies import CanceledReply
from orders.domain.views import OrderView
from orders.models import Order
from orders.services.asking import ask


def cancel_for_owner(*, order_id: UUID, reason: str, actor: User, origin: Origin) -> OrderView:
    """Cancel somebody's open order, on the record; returns it as committed. Its account's people
    are told of it with the reason.
    """
    if not may_cancel_any_order(actor):
        raise Refusal(
            status=403,
            code=CODE_NOT_PERMITTED,
            reason=ErrorReason.NOT_PERMITTED,
            message="Your role does not let you cancel other people's orders.",
        )
    account_id = Order.objects.filter(pk=order_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise Refusal(
            status=404,
            code=CODE_NOT_FOUND,
            reason=ErrorReason.NOT_FOUND,
            message="There is no such order.",
        )
    reply = ask(
        commands.CancelOrder(
            order_id,
            account_id,
            origin.request_id,
            reason,
            actor.pk,
            origin.address,
        )
    )
    assert isinstance(reply, CanceledReply)
    return reply.orders[0]
