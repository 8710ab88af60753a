"""Cash that comes and goes, and what operators set of accounts, tiers and days. Part of the slow
engine.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from orders.domain import commands
from orders.domain.market_commands import SetSessions
from tests.reference.losses import move
from tests.reference.margin import excess
from tests.reference.margin import set_margin as margin_set
from tests.reference.state import HOUSE, UNIT, Refused

if TYPE_CHECKING:
    from tests.reference.engine import ReferenceEngine


def move_cash(engine: ReferenceEngine, command: commands.MoveCash) -> object:
    amount, account = Fraction(command.amount), command.account_id
    if account not in engine.cash_accounts:
        raise Refused("ACCOUNT_UNKNOWN")
    if not amount or abs(amount) > 10_000_000_000 or amount % UNIT:
        raise Refused("AMOUNT_INVALID")
    free = engine.cash[account] - engine.locked_cash(account)
    if engine.margin.is_on(account):  # L8
        free = max(min(free, excess(engine, account)), Fraction(0))
    if -amount > free:
        raise Refused("FUNDS_INSUFFICIENT")
    engine.cash[account] += amount
    engine.touch(account)
    engine.cash[HOUSE] -= amount
    move(engine, account, amount)
    payer, payee = (HOUSE, account) if amount > 0 else (account, HOUSE)
    engine.transfers.append((payer, payee, abs(amount)))
    kind = "CashDeposited" if command.kind == "DEPOSIT" else "CashAdjusted"
    engine.told.append((kind, account, engine.cash[account], engine.locked_cash(account)))
    return "BALANCE"


def set_stp_mode(engine: ReferenceEngine, command: commands.SetStpMode) -> object:
    if command.account_id not in engine.cash_accounts:
        raise Refused("ACCOUNT_UNKNOWN")
    engine.stp_modes[command.account_id] = command.mode.value
    return "DONE"


def set_sessions(engine: ReferenceEngine, command: SetSessions) -> object:
    engine.hours.change(command.calendar, command.sessions, command.removed)
    return "DONE"


def set_fee_tier(engine: ReferenceEngine, command: commands.SetFeeTier) -> object:
    if not engine.fees.set_tier(command.code, command.maker_bps, command.taker_bps):
        raise Refused("FEE_RATES_INVALID")
    return "DONE"


def set_account_tier(engine: ReferenceEngine, command: commands.SetAccountTier) -> object:
    if command.account_id not in engine.cash_accounts:
        raise Refused("ACCOUNT_UNKNOWN")
    if command.code and command.code not in engine.fees.tiers:
        raise Refused("FEE_TIER_UNKNOWN")
    engine.fees.accounts[command.account_id] = command.code
    return "DONE"


def configure(engine: ReferenceEngine, command: commands.ConfigureAccount) -> object:
    if command.account_id not in engine.cash_accounts:
        raise Refused("ACCOUNT_UNKNOWN")
    if command.suspend_trade is not None:
        engine.suspended.discard(command.account_id)
    if command.suspend_trade:
        engine.suspended.add(command.account_id)
    if command.no_shorting is not None:
        engine.margin.long_only.discard(command.account_id)
    if command.no_shorting:
        engine.margin.long_only.add(command.account_id)
    return "DONE"


def set_margin(engine: ReferenceEngine, command: commands.SetMargin) -> object:
    done = margin_set(engine, command)
    if done == "DONE":
        engine.calls.touched.add(command.account_id)
    return done
