"""What trades and where: currencies, venues, their sessions, instruments."""

import uuid

from django.db import models

from marketdata.domain.market_states import STORED_STATES


class Currency(models.Model):
    """Money that balances are kept in (ISO 4217 code or token code)."""

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=64)
    display_decimals = models.PositiveSmallIntegerField(default=2)

    class Meta:
        verbose_name_plural = "currencies"

    def __str__(self) -> str:
        return self.code


class Venue(models.Model):
    """A market with its own rules and hours: `calendar` is ALWAYS for one that never closes, such
    as the simulated venue, or a code of exchange_calendars (XNYS, XLON).
    """

    class Kind(models.TextChoices):
        SIMULATED = "SIMULATED"
        INTERNAL = "INTERNAL"

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind)
    time_zone = models.CharField(max_length=64, default="UTC")
    calendar = models.CharField(max_length=16, default="ALWAYS")

    def __str__(self) -> str:
        return self.code


class Session(models.Model):
    """One day on which the venues of a calendar trade. Written by the engine, which is told the
    days some time ahead (orders.services.fill_sessions).
    """

    calendar = models.CharField(max_length=16)
    day = models.DateField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "day"], name="session_once"),
            models.CheckConstraint(
                condition=models.Q(opens_at__lt=models.F("closes_at")), name="session_hours"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.calendar} {self.day}"


class Instrument(models.Model):
    """A thing that trades on one venue, with the grid that its prices and quantities keep to."""

    class AssetClass(models.TextChoices):
        US_EQUITY = "us_equity"
        CRYPTO = "crypto"

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    symbol = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=128)
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT)
    asset_class = models.CharField(max_length=12, choices=AssetClass)
    base_currency = models.ForeignKey(
        Currency, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    quote_currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="+")
    tick_size = models.DecimalField(max_digits=28, decimal_places=8)
    lot_size = models.DecimalField(max_digits=28, decimal_places=8)
    min_notional = models.DecimalField(max_digits=28, decimal_places=8, default=0)
    status = models.CharField(
        max_length=12,
        choices=[(state.value, state.value) for state in STORED_STATES],
        default="OPEN",
    )
    set_status = models.CharField(
        max_length=12,
        choices=[(state.value, state.value) for state in STORED_STATES],
        default="OPEN",
        help_text="what was set by hand; the status follows from it and from what is planned",
    )
    market_band_bps = models.PositiveIntegerField(
        default=500,
        help_text="how far from the best price a market order may trade, in basis points",
    )
    volatility_bps = models.PositiveIntegerField(
        default=0,
        help_text="how far from the reference price a trade may happen, in basis points; 0: any",
    )
    window_seconds = models.PositiveIntegerField(
        default=300, help_text="how long one reference price holds"
    )
    pause_state = models.CharField(
        max_length=12,
        choices=[(state, state) for state in ("AUCTION", "HALTED")],
        default="AUCTION",
        help_text="the state of a market that would have left its band",
    )
    pause_seconds = models.PositiveIntegerField(default=120, help_text="how long it lasts")
    # The running window's reference price and its beginning; the running pause and its end.
    window_price = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    window_at = models.DateTimeField(null=True)
    paused = models.CharField(max_length=12, null=True)
    paused_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["symbol", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tick_size__gt=0, lot_size__gt=0), name="instrument_grid"
            ),
            models.CheckConstraint(
                condition=models.Q(min_notional__gte=0), name="instrument_min_notional"
            ),
            models.CheckConstraint(
                condition=models.Q(market_band_bps__gt=0, market_band_bps__lt=10_000),
                name="instrument_market_band",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    volatility_bps__lt=10_000, window_seconds__gt=0, pause_seconds__gt=0
                ),
                name="instrument_volatility_band",
            ),
            models.CheckConstraint(
                condition=models.Q(paused__isnull=True, paused_until__isnull=True)
                | models.Q(paused__isnull=False, paused_until__isnull=False),
                name="instrument_pause",
            ),
        ]

    @property
    def is_marginable(self) -> bool:
        """Whether margin accounts may borrow for it, and sell it short."""
        return self.asset_class == self.AssetClass.US_EQUITY

    def __str__(self) -> str:
        return self.symbol
