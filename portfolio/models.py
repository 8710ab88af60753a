"""What is owned: trading accounts, the double-entry ledger, holds and positions.

Only the engine's batch writes these tables (portfolio.services.posting); everyone else reads. The
database repeats the rules that must hold: free >= 0, a transfer moves a positive amount between two
different accounts.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.row_rules import row_rule
from marketdata.models import Currency, Instrument


class FeeTier(models.Model):
    """What accounts pay on their fills, in basis points (docs/fees-and-margin.md H1)."""

    code = models.CharField(max_length=16, primary_key=True)
    name = models.CharField(max_length=64)
    maker_bps = models.DecimalField(max_digits=8, decimal_places=4)
    taker_bps = models.DecimalField(max_digits=8, decimal_places=4)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(maker_bps__gte=0, taker_bps__gte=F("maker_bps"), taker_bps__lte=1000),
                name="fee_tier_rates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Desk(models.Model):
    """Trading accounts that are watched and limited together (docs/risk.md)."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TradingAccount(models.Model):
    """A holder of balances, positions and orders. STREET and HOUSE stand for the other side of
    trades and deposits.
    """

    class Kind(models.TextChoices):
        CASH = "CASH"
        STREET = "STREET"
        HOUSE = "HOUSE"

    class VenueKind(models.TextChoices):
        PAPER = "PAPER"

    class StpMode(models.TextChoices):
        """What self-trade prevention does for orders that name no mode (docs/matching.md O1)."""

        REJECT = "REJECT"
        EXPIRE_TAKER = "EXPIRE_TAKER"
        EXPIRE_MAKER = "EXPIRE_MAKER"
        EXPIRE_BOTH = "EXPIRE_BOTH"
        DECREMENT = "DECREMENT"

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.CASH)
    venue_kind = models.CharField(max_length=8, choices=VenueKind, default=VenueKind.PAPER)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="trading_accounts",
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="shared_trading_accounts"
    )
    # Without a tier there are no fees.
    fee_tier = models.ForeignKey(FeeTier, null=True, on_delete=models.PROTECT, db_index=False)
    desk = models.ForeignKey(Desk, null=True, on_delete=models.PROTECT, related_name="accounts")
    stp_mode = models.CharField(max_length=16, choices=StpMode, default=StpMode.REJECT)
    # What its people set: no new orders; no short selling.
    is_suspended = models.BooleanField(default=False)
    is_long_only = models.BooleanField(default=False)
    # 1 is a cash account (docs/fees-and-margin.md L1).
    margin_multiplier = models.PositiveSmallIntegerField(default=1)
    is_shorting_enabled = models.BooleanField(default=False)
    # A margin call, its deadline, and why positions are closed by force (L9, L11).
    margin_called_at = models.DateTimeField(null=True)
    margin_deadline_at = models.DateTimeField(null=True)
    forced_closing = models.CharField(max_length=16, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(margin_multiplier__in=(2, 4))
                | Q(margin_multiplier=1, is_shorting_enabled=False),
                name="account_margin",
            ),
            models.CheckConstraint(
                condition=Q(kind="CASH", owner__isnull=False)
                | (~Q(kind="CASH") & Q(owner__isnull=True)),
                name="account_owner_by_kind",
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=~Q(kind="CASH"), name="account_one_street_and_one_house"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Balance(models.Model):
    """Cash of one account in one currency: total = locked + free. Street and house may go below
    zero.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="balances", db_index=False
    )
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, db_index=False)
    total = models.DecimalField(max_digits=28, decimal_places=8)
    locked = models.DecimalField(max_digits=28, decimal_places=8)
    # The sum of the account's FEE transfers, kept so that nobody has to add them up.
    fees_paid = models.DecimalField(max_digits=28, decimal_places=8, default=0)
    is_overdraft_allowed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "currency"], name="balance_once"),
            models.CheckConstraint(condition=Q(locked__gte=0), name="balance_locked_not_negative"),
            models.CheckConstraint(condition=Q(fees_paid__gte=0), name="balance_fees_not_negative"),
            models.CheckConstraint(
                condition=Q(is_overdraft_allowed=True) | Q(total__gte=F("locked")),
                name="balance_free_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.currency_id} {self.total}"


class EquitySample(models.Model):
    """What an account was worth at an instant, and the cash that had come from outside until then.

    Taken every few minutes by portfolio.services.sampling; not part of the ledger.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, db_index=False)
    sampled_at = models.DateTimeField()
    equity = models.DecimalField(max_digits=28, decimal_places=8)
    deposited = models.DecimalField(max_digits=28, decimal_places=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "sampled_at"], name="equity_sample_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.sampled_at}: {self.equity}"


class Transfer(models.Model):
    """Money moved from one account to another: one row is both postings, so every transfer sums to
    zero. Immutable.
    """

    class Kind(models.TextChoices):
        TRADE = "TRADE"
        FEE = "FEE"
        DEPOSIT = "DEPOSIT"
        ADJUSTMENT = "ADJUSTMENT"

    id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=12, choices=Kind)
    # Not constraints of the database, here and below: docs/adr/0016-references-of-hot-tables.md.
    debit_account = models.ForeignKey(
        TradingAccount,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    credit_account = models.ForeignKey(
        TradingAccount,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    currency = models.ForeignKey(
        Currency, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    amount = models.DecimalField(max_digits=28, decimal_places=8)
    trade_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_positive"),
            row_rule("transfer_between_two_accounts", "debit_account_id <> credit_account_id"),
            row_rule(
                "transfer_trade_id_by_kind",
                "(trade_id IS NOT NULL) = (kind = ANY ('{TRADE,FEE}'))",
            ),
        ]
        indexes = [
            # Few among very many: what is no trade is found without looking through the trades.
            models.Index(
                fields=["debit_account", "occurred_at", "id"],
                condition=~Q(kind="TRADE"),
                name="transfer_cash_by_debit",
            ),
            models.Index(
                fields=["credit_account", "occurred_at", "id"],
                condition=~Q(kind="TRADE"),
                name="transfer_cash_by_credit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency_id}"


class Hold(models.Model):
    """What a working order has set aside: cash for a buy, quantity for a sell. PENDING until posted
    or voided.
    """

    class State(models.TextChoices):
        PENDING = "PENDING"
        POSTED = "POSTED"
        VOIDED = "VOIDED"

    order_id = models.UUIDField(primary_key=True)
    # Read by order or as a whole: an index more would only cost each order its upkeep.
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    currency = models.ForeignKey(
        Currency, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    instrument = models.ForeignKey(
        Instrument, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    amount = models.DecimalField(max_digits=28, decimal_places=8)
    remaining = models.DecimalField(max_digits=28, decimal_places=8)
    state = models.CharField(max_length=8, choices=State)

    class Meta:
        constraints = [
            row_rule("hold_amounts", "amount > 0 AND remaining >= 0"),
            row_rule("hold_remaining_by_state", "(remaining > 0) = (state = 'PENDING')"),
            row_rule("hold_of_cash_or_of_quantity", "num_nonnulls(currency_id, instrument_id) = 1"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.state}"


class Position(models.Model):
    """Quantity of one instrument in one account with its cost. Short only for the street."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="positions", db_index=False
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT)
    quantity = models.DecimalField(max_digits=28, decimal_places=8)
    locked = models.DecimalField(max_digits=28, decimal_places=8)
    cost_basis = models.DecimalField(max_digits=28, decimal_places=8)
    realized_pnl = models.DecimalField(max_digits=28, decimal_places=8)
    is_short_allowed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument"], name="position_once"),
            models.CheckConstraint(condition=Q(locked__gte=0), name="position_locked_not_negative"),
            models.CheckConstraint(
                condition=Q(is_short_allowed=True) | Q(quantity__gte=F("locked")),
                name="position_free_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.instrument_id} {self.quantity}"
