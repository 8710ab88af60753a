"""What an instrument's trades came to, interval by interval, and what to multiply the past with."""

from django.db import models

from marketdata.models.reference import Instrument


class Bar(models.Model):
    """Open, high, low, close and volume of one instrument over one interval; `start` is inclusive,
    UTC. An hour is stored where no minutes are: other lengths are made of minutes and days.
    """

    class Timeframe(models.TextChoices):
        MINUTE = "1Min"
        HOUR = "1Hour"
        DAY = "1Day"

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    timeframe = models.CharField(max_length=8, choices=Timeframe)
    start = models.DateTimeField()
    open = models.DecimalField(max_digits=28, decimal_places=8)
    high = models.DecimalField(max_digits=28, decimal_places=8)
    low = models.DecimalField(max_digits=28, decimal_places=8)
    close = models.DecimalField(max_digits=28, decimal_places=8)
    volume = models.DecimalField(max_digits=28, decimal_places=8)
    trade_count = models.PositiveIntegerField(default=0)
    vwap = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    source = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "timeframe", "start"], name="bar_once"),
            models.CheckConstraint(
                condition=models.Q(low__lte=models.F("open"))
                & models.Q(low__lte=models.F("close"))
                & models.Q(high__gte=models.F("open"))
                & models.Q(high__gte=models.F("close")),
                name="bar_low_and_high_enclose",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.timeframe} {self.start:%Y-%m-%d %H:%M}"


class AdjustmentFactor(models.Model):
    """What raw prices until `day` (inclusive) are multiplied with to compare with today's: by
    `price_factor` for dividends and `split_factor` for splits, each with all later ones in it.

    `reference_price` is the raw close of `day` where the source tells it. The corporate action
    itself is the step from one row to the next (marketdata/domain/factors.py).
    """

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="factors")
    day = models.DateField()
    price_factor = models.DecimalField(max_digits=18, decimal_places=10)
    split_factor = models.DecimalField(max_digits=18, decimal_places=10)
    reference_price = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    source = models.CharField(max_length=32)

    class Meta:
        ordering = ["instrument", "day"]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "day"], name="factor_once"),
            models.CheckConstraint(
                condition=models.Q(price_factor__gt=0, split_factor__gt=0),
                name="factor_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} until {self.day}"
