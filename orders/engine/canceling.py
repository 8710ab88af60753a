"""Which open orders a cancel of all takes, and who a cancel is from (docs/matching.md C3, C4)."""

from core.services.audit_log import AuditRow
from orders.domain.commands import CancelAllOrders, CancelOrder
from orders.domain.reasons import CloseReason
from orders.engine.state import OrderState
from orders.engine.step import Step
from risk.domain.reasons import Denial, DenialReason


def orders_to_cancel(step: Step, command: CancelAllOrders) -> list[OrderState] | Denial:
    """The account's open orders that the command names, in the order of acceptance; a Denial for a
    symbol that nobody knows.
    """
    instruments: set[int] = set()
    for symbol in command.symbols:
        instrument = step.state.instrument(symbol)
        if instrument is None:
            return Denial(DenialReason.INSTRUMENT_UNKNOWN, {"symbol": symbol})
        instruments.add(instrument.id)
    account = step.state.accounts.get(command.account_id)
    return [
        order
        for order in (account.open_orders.values() if account else ())
        if (not instruments or order.instrument.id in instruments)
        and (command.side is None or order.side is command.side)
    ]


def reason_of(step: Step, command: CancelOrder) -> CloseReason:
    """Why the order ends; an operator's cancel goes into the audit with the reason given for it."""
    if command.actor_id is None:
        return CloseReason.USER_REQUESTED
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action="OrderCanceledByOperator",
            target=f"order:{command.order_id}",
            reason=command.reason,
            facts={},
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )
    return CloseReason.OPERATOR_REQUESTED
