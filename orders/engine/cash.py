"""Deposits and adjustments: cash between an account and the house, one transfer and one audit
entry.
"""

from core.domain.clock import wire_time
from core.domain.units import units_to_wire
from core.services.audit_log import AuditRow
from orders.domain.commands import MoveCash
from orders.domain.views import AccountEvent, CashMoveView
from orders.engine import loss_watch
from orders.engine.lifecycle import append_account_event
from orders.engine.margin import withdrawable
from orders.engine.render import balance_view
from orders.engine.state import Account
from orders.engine.step import Step
from portfolio.domain.rows import TransferRow
from risk.domain.checks import check_funds
from risk.domain.reasons import Denial

EVENTS = {"DEPOSIT": "CashDeposited", "ADJUSTMENT": "CashAdjusted"}


def move(
    step: Step,
    account: Account,
    units: int,
    command: MoveCash,
) -> Denial | None:
    """Move `units` into the account (negative: out of it, as far as its free cash goes)."""
    if units < 0:
        free = account.balance.free
        if account.is_margin:
            free = withdrawable(step.state, account, step.now_ns)
        denial = check_funds(-units, free, account.currency)
        if denial is not None:
            return denial
    house = step.state.accounts[step.state.house_id]
    account.balance.move(units)
    if account.is_margin:
        step.state.to_judge[account.id] = account
    loss_watch.move(step, account, units)
    house.balance.move(-units)
    step.changes.balance(account)
    step.changes.balance(house)
    step.state.transfer_number += 1
    payer, payee = (house, account) if units > 0 else (account, house)
    step.changes.transfers.append(
        TransferRow(
            id=step.state.transfer_number,
            kind=command.kind,
            debit_account_id=payer.id,
            credit_account_id=payee.id,
            currency=account.currency,
            amount_units=abs(units),
            trade_id=None,
            reason=command.reason,
            occurred_ns=step.now_ns,
        )
    )
    append_account_event(
        step,
        account,
        AccountEvent(
            event=EVENTS[command.kind],
            version=1,
            account_id=account.public_id,
            account_sequence=account.sequence + 1,
            occurred_at=wire_time(step.now_ns),
            request_id=command.request_id,
            balance=balance_view(account),
            cash=CashMoveView(amount=units_to_wire(units), reason=command.reason),
        ),
    )
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action=EVENTS[command.kind],
            target=f"trading-account:{account.id}",
            reason=command.reason,
            facts={"amount": units_to_wire(units), "total": units_to_wire(account.balance.total)},
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )
    return None
