"""The deterministic heart of the engine: one command at a time, state and now in, changes and reply
out.

No input or output, no clock, no randomness: the same commands give the same changes, byte for byte.
The server feeds it a batch, the writer commits what it changed, only then are the replies sent.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

from core.domain.units import decimal_to_units
from orders.domain import commands, market_commands
from orders.domain.reasons import CloseReason
from orders.domain.replies import (
    AnyReply,
    BalanceReply,
    BatchReply,
    CanceledReply,
    CheckedReply,
    DeniedReply,
    DoneReply,
    LimitReply,
    OrderReply,
    SwitchedReply,
    WhatIfReply,
)
from orders.domain.session_commands import EndSession, OpenSession
from orders.domain.views import OrderView
from orders.engine import (
    account_terms,
    auctions,
    calendars,
    canceling,
    cash,
    deadman,
    desks,
    headroom,
    lifecycle,
    limit_setting,
    loss_watch,
    margin,
    margin_calls,
    market_plans,
    market_states,
    order_sessions,
    replacing,
    street,
    trading_states,
    volatility,
)
from orders.engine.changes import Changes
from orders.engine.electing import MAX_ELECTIONS, elect
from orders.engine.legs import legs_of
from orders.engine.placing import place_order
from orders.engine.render import balance_view, nested_view, order_view
from orders.engine.state import Account, EngineState, OrderState
from orders.engine.step import Step
from orders.engine.trading_states import MAX_CLEARED
from portfolio.domain.balances import BalanceState
from risk.domain.checks import check_cash_amount
from risk.domain.commands import EvaluateLosses, JoinDesk, ReadUsage, SetLimit, SwitchTrading
from risk.domain.reasons import Denial, DenialReason

MAX_EXPIRED = 1_000
"""Orders that expire in one batch: the end of a day must not make one that takes minutes."""


class Core:
    """Applies commands to the state. `changes` collects what the current batch has done."""

    def __init__(
        self,
        state: EngineState,
        max_elections: int = MAX_ELECTIONS,
        max_cleared: int = MAX_CLEARED,
    ) -> None:
        self.state = state
        self.max_elections = max_elections
        self._max_cleared = max_cleared
        self.changes = Changes()
        self._handlers: Mapping[type, Callable[[Any, Step], AnyReply]] = {  # Any: each its command
            commands.SubmitOrder: self._submit,
            commands.ReplaceOrder: self._replace,
            commands.AmendOrder: self._amend,
            commands.CancelOrder: self._cancel,
            commands.CancelAllOrders: self._cancel_all,
            commands.OrderBatch: self._batch,
            commands.SetDeadMan: self._set_dead_man,
            OpenSession: self._open_session,
            EndSession: self._end_session,
            commands.OpenAccount: self._open_account,
            commands.SetStpMode: self._set_stp_mode,
            commands.MoveCash: self._move_cash,
            commands.SetInstrumentStatus: self._set_instrument_status,
            commands.SetFeeTier: self._set_fee_tier,
            commands.SetAccountTier: self._set_account_tier,
            commands.SetMargin: self._set_margin,
            commands.ConfigureAccount: self._configure,
            market_commands.SetSessions: self._set_sessions,
            market_commands.PlanMarketState: self._plan_market_state,
            market_commands.WithdrawMarketPlan: self._withdraw_market_plan,
            market_commands.SetBands: lambda command, step: done(
                volatility.set_bands(step, command)
            ),
            market_commands.CheckMargin: self._check_margin,
            commands.QuoteStreet: self._quote_street,
            commands.PrintStreetTrade: self._print_street_trade,
            commands.ExpireOrders: self._expire,
            SwitchTrading: self._switch_trading,
            JoinDesk: self._join_desk,
            SetLimit: self._set_limit,
            EvaluateLosses: self._evaluate_losses,
            commands.WhatIf: self._what_if,
            ReadUsage: lambda command, step: headroom.usage(step),
            commands.AwaitCommit: lambda command, step: DoneReply(),
        }

    @property
    def is_electing(self) -> bool:
        """Whether elected stops still wait for their turn: the next command lets some in."""
        return bool(self.state.elections)

    @property
    def is_clearing(self) -> bool:
        """Whether a switch has orders left to cancel: ExpireOrders goes on, and must go before
        whatever else (docs/risk.md W2).
        """
        return bool(self.state.trading.clearing)

    def begin_batch(self) -> None:
        self.changes = Changes()

    def apply(self, command: commands.AnyCommand, now_ns: int) -> AnyReply:
        """Carry out one command at `now_ns`; a refusal by rule is a DeniedReply."""
        assert not self.is_clearing or type(command) is commands.ExpireOrders
        step = Step(self.state, self.changes, now_ns)
        if now_ns >= self.state.next_market_ns and not self.is_clearing:
            market_plans.take_due(step)
            volatility.end_due(step)
        if self.state.queueing and not self.is_clearing:
            auctions.hold_due(step)
        reply = self._handlers[type(command)](command, step)
        if self.state.to_judge:
            margin_calls.judge_touched(step)
        return reply

    # --- orders

    def _submit(self, command: commands.SubmitOrder, step: Step) -> AnyReply:
        result = place_order(step, command)
        elect(step, self.max_elections)
        if isinstance(result, Denial):
            return denied(result)
        if command.group is not None:
            return OrderReply(nested_view(result, legs_of(step, result)))
        return OrderReply(told(step, result))

    def _replace(self, command: commands.ReplaceOrder, step: Step) -> AnyReply:
        result = replacing.replace_order(step, command)
        elect(step, self.max_elections)
        return denied(result) if isinstance(result, Denial) else OrderReply(told(step, result))

    def _amend(self, command: commands.AmendOrder, step: Step) -> AnyReply:
        result = replacing.amend_order(step, command)
        return denied(result) if isinstance(result, Denial) else OrderReply(order_view(result))

    def _cancel(self, command: commands.CancelOrder, step: Step) -> AnyReply:
        order = self.state.orders.get(command.order_id)
        if order is None or order.account.id != command.account_id:
            return denied(Denial(DenialReason.ORDER_NOT_OPEN, {}))
        lifecycle.cancel(step, order, canceling.reason_of(step, command), command.request_id)
        return CanceledReply([order_view(order)])

    def _cancel_all(self, command: commands.CancelAllOrders, step: Step) -> AnyReply:
        orders = canceling.orders_to_cancel(step, command)
        if isinstance(orders, Denial):
            return denied(orders)
        for order in orders:
            lifecycle.cancel(step, order, CloseReason.USER_REQUESTED, command.request_id)
        return CanceledReply([order_view(order) for order in orders])

    def _batch(self, command: commands.OrderBatch, step: Step) -> AnyReply:
        """Each order as if it came alone, in their order (L2)."""
        replies = [self.apply(part, step.now_ns) for part in command.orders]
        return BatchReply(cast(list[Any], replies))  # what orders and their cancels are answered

    def _set_dead_man(self, command: commands.SetDeadMan, step: Step) -> AnyReply:
        account = self.state.accounts.get(command.account_id)
        if account is None or account.kind != "CASH":
            return denied(Denial(DenialReason.ACCOUNT_UNKNOWN, {}))
        return deadman.arm(step, command)

    def _open_session(self, command: OpenSession, step: Step) -> AnyReply:
        return done(order_sessions.open_session(step, command))

    def _end_session(self, command: EndSession, step: Step) -> AnyReply:
        ended = order_sessions.end_session(step, command)
        return CanceledReply([order_view(order) for order in ended])

    def _expire(self, command: commands.ExpireOrders, step: Step) -> AnyReply:
        """The orders that expired now (MAX_EXPIRED of them: more may be due), and those of keys
        that fell silent. What is left of earlier elections goes on, but what a switch cancels goes
        before all that.
        """
        if self.is_clearing:
            cleared = trading_states.clear(step, self._max_cleared)
            return CanceledReply([order_view(order) for order in cleared])
        due = self.state.take_expired(step.now_ns, MAX_EXPIRED)
        for order in due:
            lifecycle.expire(step, order)
        due += deadman.fire_due(step)
        elect(step, self.max_elections)
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
                owner_id=command.owner_id or 0,
            )
            if command.kind == "STREET":
                self.state.street_id = command.account_id
            if command.kind == "HOUSE":
                self.state.house_id = command.account_id
        return DoneReply()

    def _set_stp_mode(self, command: commands.SetStpMode, step: Step) -> AnyReply:
        denial = account_terms.set_stp_mode(step, command)
        return denied(denial) if denial else DoneReply()

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
        market_states.set_state(step, instrument, command)
        auctions.hold_due(step)
        elect(step, self.max_elections)
        return DoneReply()

    def _plan_market_state(self, command: market_commands.PlanMarketState, step: Step) -> AnyReply:
        return done(market_plans.plan(step, command))

    def _withdraw_market_plan(
        self, command: market_commands.WithdrawMarketPlan, step: Step
    ) -> AnyReply:
        denial = market_plans.withdraw(step, command)
        auctions.hold_due(step)
        elect(step, self.max_elections)
        return done(denial)

    def _set_fee_tier(self, command: commands.SetFeeTier, step: Step) -> AnyReply:
        return done(account_terms.set_fee_tier(step, command))

    def _set_account_tier(self, command: commands.SetAccountTier, step: Step) -> AnyReply:
        return done(account_terms.set_account_tier(step, command))

    def _set_margin(self, command: commands.SetMargin, step: Step) -> AnyReply:
        return done(margin.set_margin(step, command))

    def _configure(self, command: commands.ConfigureAccount, step: Step) -> AnyReply:
        return done(account_terms.configure(step, command))

    def _check_margin(self, command: market_commands.CheckMargin, step: Step) -> AnyReply:
        last = margin_calls.look_at(step, command.after)
        elect(step, self.max_elections)
        return CheckedReply(last)

    # --- risk

    def _switch_trading(self, command: SwitchTrading, step: Step) -> AnyReply:
        result = trading_states.switch(step, command)
        if isinstance(result, Denial):
            return denied(result)
        trading_states.clear(step, self._max_cleared)
        return SwitchedReply(result.state.state.value, result.state.version, result.canceled)

    def _join_desk(self, command: JoinDesk, step: Step) -> AnyReply:
        denial = desks.join_desk(step, command)
        return denied(denial) if denial else DoneReply()

    def _evaluate_losses(self, command: EvaluateLosses, step: Step) -> AnyReply:
        loss_watch.evaluate(step)
        trading_states.clear(step, self._max_cleared)
        return DoneReply()

    def _what_if(self, command: commands.WhatIf, step: Step) -> AnyReply:
        told = headroom.what_if(step, command.order)
        return WhatIfReply(
            denied(told.denial) if told.denial else None, list(told.limits), told.outlook
        )

    def _set_limit(self, command: SetLimit, step: Step) -> AnyReply:
        result = limit_setting.set_limit(step, command)
        return denied(result) if isinstance(result, Denial) else LimitReply(result.version)

    def _set_sessions(self, command: market_commands.SetSessions, step: Step) -> AnyReply:
        calendars.set_sessions(step, command)
        return DoneReply()

    # --- the street

    def _quote_street(self, command: commands.QuoteStreet, step: Step) -> AnyReply:
        street.quote(step, command)
        elect(step, self.max_elections)
        return DoneReply()

    def _print_street_trade(self, command: commands.PrintStreetTrade, step: Step) -> AnyReply:
        street.print_trade(step, command)
        elect(step, self.max_elections)
        return DoneReply()


def told(step: Step, order: OrderState) -> OrderView:
    """The order as it stands: what the newest event has told of it, when that is its own."""
    newest = step.changes.events[-1][1].order if step.changes.events else None
    return newest if newest is not None and newest.id == order.text_id else order_view(order)


def done(denial: Denial | None) -> AnyReply:
    return DoneReply() if denial is None else denied(denial)


def denied(denial: Denial) -> DeniedReply:
    return DeniedReply(denial.reason.value, denial.sentence, denial.facts)


def duplicate_client_order_id(order_id: UUID) -> DeniedReply:
    """The reply to a client order id that the account has used before."""
    return denied(Denial(DenialReason.CLIENT_ORDER_ID_DUPLICATE, {"order_id": str(order_id)}))
