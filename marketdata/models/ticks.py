"""Trades, quotes and one-second bars: tables in partitions of a UTC day, made by migration 0007.

Prices and sizes are whole numbers of 10^-8 (`_e8`): of a fixed width, so that a million rows are
one block of bytes. Django reads these tables; it neither makes nor changes them.
"""

from django.db import models


class StoredTrade(models.Model):
    """One trade print. `number` orders those of one instant and is used once within them; `side` is
    the aggressor's: 1 buy, -1 sell, 0 unknown.
    """

    pk = models.CompositePrimaryKey("instrument_id", "at", "number")
    instrument_id = models.IntegerField()
    at = models.DateTimeField()
    number = models.BigIntegerField()
    price_e8 = models.BigIntegerField()
    size_e8 = models.BigIntegerField()
    side = models.SmallIntegerField()
    feed_id = models.SmallIntegerField()
    flags = models.IntegerField()
    """marketdata/domain/trade_conditions.py: what the print may move, and whether it came late."""
    exchange = models.CharField(max_length=4)

    class Meta:
        managed = False
        db_table = "marketdata_trade"


class StoredQuote(models.Model):
    """The best bid and ask at one moment; a side that is 0 was empty."""

    pk = models.CompositePrimaryKey("instrument_id", "at", "number")
    instrument_id = models.IntegerField()
    at = models.DateTimeField()
    number = models.BigIntegerField()
    bid_e8 = models.BigIntegerField()
    bid_size_e8 = models.BigIntegerField()
    ask_e8 = models.BigIntegerField()
    ask_size_e8 = models.BigIntegerField()
    feed_id = models.SmallIntegerField()

    class Meta:
        managed = False
        db_table = "marketdata_quote"


class SecondBar(models.Model):
    """Open, high, low, close and volume of one second; `turnover_e8` is the sum of price times
    size.
    """

    pk = models.CompositePrimaryKey("instrument_id", "start")
    instrument_id = models.IntegerField()
    start = models.DateTimeField()
    open_e8 = models.BigIntegerField()
    high_e8 = models.BigIntegerField()
    low_e8 = models.BigIntegerField()
    close_e8 = models.BigIntegerField()
    volume_e8 = models.BigIntegerField()
    trade_count = models.IntegerField()
    turnover_e8 = models.DecimalField(max_digits=38, decimal_places=0)
    feed_id = models.SmallIntegerField()

    class Meta:
        managed = False
        db_table = "marketdata_secondbar"


class TickDay(models.Model):
    """A partition that exists. Retention drops one when it is old enough and not `is_kept`: what
    somebody imported stays until somebody removes it.
    """

    class Table(models.TextChoices):
        TRADE = "marketdata_trade"
        QUOTE = "marketdata_quote"
        SECOND_BAR = "marketdata_secondbar"

    id = models.BigAutoField(primary_key=True)
    table = models.CharField(max_length=24, choices=Table)
    day = models.DateField()
    is_kept = models.BooleanField(default=False)

    class Meta:
        ordering = ["table", "day"]
        constraints = [models.UniqueConstraint(fields=["table", "day"], name="tick_day_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.day}"
