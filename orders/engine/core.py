"""The deterministic heart of the engine: one command at a time, state and now in, changes and reply
out.

No input or output, no clock, no randomness: the same commands give the same changes, byte for byte.
The server feeds it a batch, the writer commits what it changed, only then are the replies sent.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from core.domain.units import decimal_to_units
from core.services.audit_log import AuditRow
from orders.domain import commands
from orders.domain.reasons import CloseReason
from orders.domain.replies import (
    AnyReply,
    BalanceReply,
    CanceledReply,
    DeniedReply,
    DoneReply,
    OrderReply,
)
from orders.engine import cash, lifecycle, street
from orders.engine.changes import Changes
from orders.engine.placing import place_order
from orders.engine.render import balance_view, order_view
from orders.engine.state import Account, EngineState
from orders.engine.step import Step
from portfolio.domain.balances import BalanceState
from risk.domain.checks import check_cash_amount
from risk.domain.reasons import Denial, DenialReason

MAX_EXPIRED = 1_000
"""Orders that expire in one batch: the end of a day must not make one that takes minutes."""


class Core:
    """Applies commands to the state. `changes` collects what the current batch has done."""

    def __init__(self, state: EngineState) -> None:
        self.state = state
        self.changes = Changes()
        self._handlers: Mapping[type, Callable[[Any, Step], AnyReply]] = {  # Any: each its command
            commands.SubmitOrder: self._submit,
            commands.CancelOrder: self._cancel,
            commands.CancelAllOrders: self._cancel_all,
            commands.OpenAccount: self._open_account,
            commands.MoveCash: self._move_cash,
            commands.SetInstrumentStatus: self._set_instrument_status,
            commands.QuoteStreet: self._quote_street,
            commands.PrintStreetTrade: self._print_street_trade,
            commands.ExpireOrders: self._expire,
        }

    def begin_batch(self) -> None:
        self.changes = Changes()

    def apply(self, command: commands.AnyCommand, now_ns: int) -> AnyReply:
        """Carry out one command at `now_ns`; a refusal by rule is a DeniedReply."""
        return self._handlers[type(command)](command, Step(self.state, self.changes, now_ns))

    # --- orders

    def _submit(self, command: commands.SubmitOrder, step: Step) -> AnyReply:
        result = place_order(step, command)
        if isinstance(result, Denial):
            return denied(result)
        return OrderReply(order_view(result))

    def _cancel(self, command: commands.CancelOrder, step: Step) -> AnyReply:
        order = self.state.orders.get(command.order_id)
        if order is None or order.account.id != command.account_id:
            return denied(Denial(DenialReason.ORDER_NOT_OPEN, {}))
        lifecycle.cancel(step, order, CloseReason.USER_REQUESTED, command.request_id)
        return CanceledReply([order_view(order)])

    def _cancel_all(self, command: commands.CancelAllOrders, step: Step) -> AnyReply:
        account = self.state.accounts.get(command.account_id)
        orders = list(account.open_orders.values()) if account else []
        for order in orders:
            lifecycle.cancel(step, order, CloseReason.USER_REQUESTED, command.request_id)
        return CanceledReply([order_view(order) for order in orders])

    def _expire(self, command: commands.ExpireOrders, step: Step) -> AnyReply:
        """The orders that expired now; MAX_EXPIRED of them means that more may be due."""
        due = self.state.take_expired(step.now_ns, MAX_EXPIRED)
        for order in due:
            lifecycle.expire(step, order)
        return CanceledReply([order_view(order) for order in due])

    # --- accounts and instruments

    def _open_account(self, command: commands.OpenAccount, step: Step) -> AnyReply:
        if command.account_id not in self.state.accounts:
            self.state.accounts[command.account_id] = Account(
                id=command.account_id,
                public_id=str(command.public_id),
                kind=command.kind,
                currency=command.currency,
                balance=BalanceState(is_overdraft_allowed=command.kind != "CASH"),
            )
            if command.kind == "STREET":
                self.state.street_id = command.account_id
            if command.kind == "HOUSE":
                self.state.house_id = command.account_id
        return DoneReply()

    def _move_cash(self, command: commands.MoveCash, step: Step) -> AnyReply:
        account = self.state.accounts.get(command.account_id)
        if account is None or account.kind != "CASH":
            return denied(Denial(DenialReason.ACCOUNT_UNKNOWN, {}))
        denial = check_cash_amount(command.amount)
        if denial is not None:
            return denied(denial)
        units = decimal_to_units(command.amount)
        assert units is not None
        denial = cash.move(step, account, units, command)
        return denied(denial) if denial else BalanceReply(balance_view(account))

    def _set_instrument_status(self, command: commands.SetInstrumentStatus, step: Step) -> AnyReply:
        instrument = self.state.instrument(command.symbol)
        if instrument is None:
            return denied(Denial(DenialReason.INSTRUMENT_UNKNOWN, {"symbol": command.symbol}))
        instrument.is_open = command.status == "OPEN"
        self.changes.instruments[instrument.id] = instrument
        self.changes.audits.append(
            AuditRow(
                actor_id=command.actor_id,
                action="InstrumentReopened" if instrument.is_open else "InstrumentHalted",
                target=f"instrument:{instrument.symbol}",
                reason=command.reason,
                facts={},
                address=command.address,
                request_id=command.request_id,
                occurred_ns=step.now_ns,
            )
        )
        return DoneReply()

    # --- the street

    def _quote_street(self, command: commands.QuoteStreet, step: Step) -> AnyReply:
        street.quote(step, command)
        return DoneReply()

    def _print_street_trade(self, command: commands.PrintStreetTrade, step: Step) -> AnyReply:
        street.print_trade(step, command)
        return DoneReply()


def denied(denial: Denial) -> DeniedReply:
    return DeniedReply(denial.reason.value, denial.sentence, denial.facts)


def duplicate_client_order_id(order_id: UUID) -> DeniedReply:
    """The reply to a client order id that the account has used before."""
    return denied(Denial(DenialReason.CLIENT_ORDER_ID_DUPLICATE, {"order_id": str(order_id)}))
