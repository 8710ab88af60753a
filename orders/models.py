"""Orders and their executions as the engine committed them, and the lease that says which engine
may write.
"""

from django.db import models
from django.db.models import F, Q

from marketdata.models import Instrument
from orders.domain.values import OrderStatus, OrderType, Side, TimeInForce
from portfolio.models import TradingAccount


class Order(models.Model):
    """One order. `sequence` is the engine's order of acceptance: it ranks orders in time,
    everywhere.
    """

    id = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField(unique=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, db_index=False)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, db_index=False)
    client_order_id = models.CharField(max_length=128)
    side = models.CharField(max_length=4, choices=[(side.value, side.value) for side in Side])
    type = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in OrderType])
    time_in_force = models.CharField(
        max_length=4, choices=[(tif.value, tif.value) for tif in TimeInForce]
    )
    quantity = models.DecimalField(max_digits=28, decimal_places=8)
    limit_price = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    filled_quantity = models.DecimalField(max_digits=28, decimal_places=8)
    filled_notional = models.DecimalField(max_digits=28, decimal_places=8)
    status = models.CharField(
        max_length=16, choices=[(status.value, status.value) for status in OrderStatus]
    )
    reason = models.CharField(max_length=32, blank=True)
    submitted_by_id = models.BigIntegerField()
    request_id = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "client_order_id"], name="order_client_id_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity__gt=0, filled_quantity__gte=0, filled_quantity__lte=F("quantity")
                ),
                name="order_quantities",
            ),
            models.CheckConstraint(
                condition=Q(type="MARKET", limit_price__isnull=True)
                | Q(type="LIMIT", limit_price__gt=0),
                name="order_price_by_type",
            ),
            models.CheckConstraint(
                condition=~Q(status="FILLED") | Q(filled_quantity=F("quantity")),
                name="order_filled_means_all",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sequence"], condition=Q(closed_at__isnull=True), name="order_open"
            ),
            models.Index(fields=["account", "-sequence"], name="order_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.status}"


class Execution(models.Model):
    """One order's part in one trade. Immutable. A trade with the street has one execution, between
    users two.
    """

    id = models.BigIntegerField(primary_key=True)
    trade_id = models.BigIntegerField()
    order = models.ForeignKey(Order, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, db_index=False)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, db_index=False)
    side = models.CharField(max_length=4)
    price = models.DecimalField(max_digits=28, decimal_places=8)
    quantity = models.DecimalField(max_digits=28, decimal_places=8)
    liquidity = models.CharField(max_length=5)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(price__gt=0, quantity__gt=0), name="execution_amounts"
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="execution_by_account")]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} at {self.price}"


class EngineLease(models.Model):
    """Which engine may write a market segment. Every commit checks the epoch; a newer epoch shuts
    the older out.
    """

    segment = models.CharField(max_length=32, primary_key=True)
    epoch = models.BigIntegerField()
    batch = models.BigIntegerField(default=0)
    holder = models.CharField(max_length=128)
    acquired_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.segment} epoch {self.epoch}"
