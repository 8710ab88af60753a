"""What is set for accounts: fee tiers and who has which (docs/fees-and-margin.md H1), and what
their people configure.

Each is one audited command; what it sets is stored and holds from the next fill or order on.
"""

from core.domain.decimals import to_wire
from core.services.audit_log import AuditRow
from orders.domain.commands import (
    ConfigureAccount,
    SetAccountTier,
    SetFeeTier,
    SetStpMode,
)
from orders.engine.step import Step
from portfolio.domain.fees import MAX_FEE_BPS, NO_FEES, FeeTier, bps_to_rate
from risk.domain.reasons import Denial, DenialReason


def set_fee_tier(step: Step, command: SetFeeTier) -> Denial | None:
    """Make the tier, or change its name and rates for all accounts that have it."""
    maker, taker = bps_to_rate(command.maker_bps), bps_to_rate(command.taker_bps)
    if maker is None or taker is None or maker > taker:
        return Denial(DenialReason.FEE_RATES_INVALID, {"maximum": str(MAX_FEE_BPS)})
    tier = step.state.fee_tiers.get(command.code)
    if tier is None:
        tier = step.state.fee_tiers[command.code] = FeeTier(command.code, "", 0, 0)
    tier.name, tier.maker, tier.taker = command.name, maker, taker
    step.changes.fee_tiers[tier.code] = tier
    facts = {"maker_bps": to_wire(command.maker_bps), "taker_bps": to_wire(command.taker_bps)}
    _audit(step, command, "FeeTierSet", f"fee-tier:{tier.code}", {"name": tier.name, **facts})
    return None


def set_account_tier(step: Step, command: SetAccountTier) -> Denial | None:
    """Give the account a tier, or none (an empty code)."""
    account = step.state.accounts.get(command.account_id)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    tier = step.state.fee_tiers.get(command.code) if command.code else NO_FEES
    if tier is None:
        return Denial(DenialReason.FEE_TIER_UNKNOWN, {"code": command.code})
    before = account.tier
    account.tier = tier
    step.changes.account_terms[account.id] = account
    facts = {"tier": tier.code, "tier_before": before.code}
    _audit(step, command, "AccountFeeTierSet", f"trading-account:{account.id}", facts)
    return None


def set_stp_mode(step: Step, command: SetStpMode) -> Denial | None:
    """From now on orders of the account that name no mode of self-trade prevention are accepted
    with this one (docs/matching.md O1).
    """
    account = step.state.accounts.get(command.account_id)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    before, account.stp_mode = account.stp_mode, command.mode
    step.changes.account_terms[account.id] = account
    facts = {"stp_mode": account.stp_mode.value, "stp_mode_before": before.value}
    _audit(step, command, "StpModeSet", f"trading-account:{account.id}", facts)
    return None


def configure(step: Step, command: ConfigureAccount) -> Denial | None:
    """Take the account's settings that the command names; the others stay."""
    account = step.state.accounts.get(command.account_id)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    if command.suspend_trade is not None:
        account.is_suspended = command.suspend_trade
    if command.no_shorting is not None:
        account.is_long_only = command.no_shorting
    step.changes.account_terms[account.id] = account
    facts = {
        "suspend_trade": str(account.is_suspended).lower(),
        "no_shorting": str(account.is_long_only).lower(),
    }
    _audit(step, command, "AccountConfigured", f"trading-account:{account.id}", facts)
    return None


def _audit(
    step: Step,
    command: SetFeeTier | SetAccountTier | SetStpMode | ConfigureAccount,
    action: str,
    target: str,
    facts: dict[str, str],
) -> None:
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action=action,
            target=target,
            reason=command.reason,
            facts=facts,
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )
