"""Tables of the yardstick: accounts with cash, positions, orders, trades and a ledger."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Instrument(models.Model):
    symbol = models.CharField(max_length=32, unique=True)
    tick_size = models.DecimalField(max_digits=18, decimal_places=8)


class Account(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    cash = models.DecimalField(max_digits=28, decimal_places=8)
    locked = models.DecimalField(max_digits=28, decimal_places=8, default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(locked__gte=0, cash__gte=F("locked")), name="naive_account_free"
            ),
        ]


class Position(models.Model):
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT)
    quantity = models.DecimalField(max_digits=28, decimal_places=8, default=0)
    locked = models.DecimalField(max_digits=28, decimal_places=8, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument"], name="naive_position_once"),
        ]


class Order(models.Model):
    class Status(models.TextChoices):
        OPEN = "open"
        FILLED = "filled"
        CANCELED = "canceled"

    class Side(models.TextChoices):
        BUY = "buy"
        SELL = "sell"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, db_index=False)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, db_index=False)
    client_order_id = models.CharField(max_length=48)
    side = models.CharField(max_length=4, choices=Side)
    quantity = models.DecimalField(max_digits=28, decimal_places=8)
    limit_price = models.DecimalField(max_digits=18, decimal_places=8)
    filled_quantity = models.DecimalField(max_digits=28, decimal_places=8, default=0)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "client_order_id"], name="naive_order_client_id_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["instrument", "side", "limit_price", "id"],
                condition=Q(status="open"),
                name="naive_order_book",
            ),
        ]


class Trade(models.Model):
    buy_order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="buys")
    sell_order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="sells")
    price = models.DecimalField(max_digits=18, decimal_places=8)
    quantity = models.DecimalField(max_digits=28, decimal_places=8)
    created_at = models.DateTimeField(auto_now_add=True)


class LedgerEntry(models.Model):
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT)
    amount = models.DecimalField(max_digits=28, decimal_places=8)
    created_at = models.DateTimeField(auto_now_add=True)
