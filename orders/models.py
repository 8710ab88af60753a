"""Orders and their executions as the engine committed them, and the lease that says which engine
may write.
"""

from django.db import models
from django.db.models import F, Q

from core.row_rules import row_rule
from marketdata.domain.market_plans import PlanStatus
from marketdata.domain.market_states import STORED_STATES
from marketdata.models import Instrument
from orders.domain.order_class import Leg, OrderClass
from orders.domain.values import OrderStatus, OrderType, Side, StpMode, TimeInForce
from portfolio.models import TradingAccount


class Order(models.Model):
    """One order. `sequence` is the engine's order of acceptance: it ranks orders in time,
    everywhere but in the book. There it is `rank`, which is the same number until the order gets
    another place in time (docs/matching.md E8).
    """

    id = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField(unique=True)
    # Not constraints of the database, here and below: docs/adr/0016-references-of-hot-tables.md.
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    client_order_id = models.CharField(max_length=128)
    side = models.CharField(max_length=4, choices=[(side.value, side.value) for side in Side])
    type = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in OrderType])
    time_in_force = models.CharField(
        max_length=4, choices=[(tif.value, tif.value) for tif in TimeInForce]
    )
    quantity = models.DecimalField(max_digits=28, decimal_places=8)
    # The value that a market order named instead of a quantity (docs/matching.md V1).
    notional = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    limit_price = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    stop_price = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    # A trailing stop's distance, and its mark: where it began until the order enters or ends; what
    # trades made of it meanwhile say the peaks (docs/matching.md G1, G6).
    trail_price = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    trail_percent = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    hwm = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    # What it shows at a time, and what it shows now while it rests; 0: it hides nothing (I1).
    display_quantity = models.DecimalField(max_digits=28, decimal_places=8, default=0)
    displayed_quantity = models.DecimalField(max_digits=28, decimal_places=8, default=0)
    rank = models.BigIntegerField()
    # The highest fee rate that its fills pay: its account's taker rate at acceptance (H3).
    fee_bps = models.DecimalField(max_digits=8, decimal_places=4, default=0)
    strategy = models.CharField(max_length=32, null=True)
    # What it holds: cash if it opens, quantity if it closes (docs/fees-and-margin.md L4 to L6).
    is_opening = models.BooleanField()
    margin_percent = models.PositiveSmallIntegerField(default=100)
    hold_price = models.DecimalField(null=True, max_digits=28, decimal_places=8)
    filled_quantity = models.DecimalField(max_digits=28, decimal_places=8)
    filled_notional = models.DecimalField(max_digits=28, decimal_places=8)
    post_only = models.BooleanField(default=False)
    reduce_only = models.BooleanField(default=False)
    # Why the engine itself placed it (docs/fees-and-margin.md L14).
    forced = models.CharField(max_length=16, blank=True, default="")
    prevented_quantity = models.DecimalField(max_digits=28, decimal_places=8, default=0)
    stp_mode = models.CharField(
        max_length=16, choices=[(mode.value, mode.value) for mode in StpMode], default="REJECT"
    )
    status = models.CharField(
        max_length=16, choices=[(status.value, status.value) for status in OrderStatus]
    )
    reason = models.CharField(max_length=32, blank=True)
    submitted_by_id = models.BigIntegerField()
    # The socket that it was placed over, if it ends with it (docs/requests.md N1).
    session_id = models.UUIDField(null=True)
    submitted_key = models.CharField(max_length=32, blank=True, default="")
    request_id = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    replaces = models.UUIDField(null=True)
    replaced_by = models.UUIDField(null=True)
    # The id of the first order of its group, and its part in it (docs/order-groups.md).
    group_id = models.UUIDField(null=True)
    leg = models.CharField(
        max_length=16, blank=True, default="", choices=[(leg.value, leg.value) for leg in Leg]
    )
    order_class = models.CharField(
        max_length=8, choices=[(kind.value, kind.value) for kind in OrderClass], default="SIMPLE"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "client_order_id"], name="order_client_id_once"
            ),
            row_rule(
                "order_quantities",
                "quantity > 0 AND least(filled_quantity, prevented_quantity,"
                " quantity - prevented_quantity - filled_quantity) >= 0",
            ),
            row_rule(
                "order_prices_positive",
                "least(limit_price, stop_price, hwm, trail_price, trail_percent) > 0",
            ),
            row_rule(
                "order_stop_price_by_type",
                "(stop_price IS NULL) = (type = ANY ('{MARKET,LIMIT}'))",
            ),
            # The limit of a market order and of a buy stop is the most that it pays.
            row_rule(
                "order_limit_price_by_type",
                "type = 'MARKET' OR (limit_price IS NULL)"
                " = (side = 'SELL' AND type = ANY ('{STOP,TRAILING_STOP}'))",
            ),
            row_rule(
                "order_trail_by_type",
                "(hwm IS NULL) = (type <> 'TRAILING_STOP')"
                " AND num_nonnulls(trail_price, trail_percent) = num_nonnulls(hwm)",
            ),
            row_rule(
                "order_notional",
                "notional IS NULL OR type = 'MARKET' AND notional >= filled_notional",
            ),
            row_rule("order_display", "displayed_quantity BETWEEN 0 AND display_quantity"),
            row_rule("order_replaced_by_successor", "replaced_by IS NULL OR status = 'REPLACED'"),
            row_rule(
                "order_filled_means_all",
                "status <> 'FILLED' OR filled_quantity = quantity - prevented_quantity",
            ),
            row_rule(
                "order_group_by_class",
                "(group_id IS NULL) = (leg = '') AND (leg = '') = (order_class = 'SIMPLE')",
            ),
        ]
        indexes = [
            # Lists go by time, so that a page from long ago is found as fast as the newest.
            models.Index(
                fields=["account", "submitted_at", "sequence"],
                condition=Q(closed_at__isnull=True),
                name="order_open",
            ),
            models.Index(fields=["account", "submitted_at", "sequence"], name="order_by_account"),
            models.Index(
                fields=["rank"], condition=~Q(rank=F("sequence")), name="order_ranked_anew"
            ),
            models.Index(
                fields=["group_id"], condition=Q(group_id__isnull=False), name="order_by_group"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.status}"


class Execution(models.Model):
    """One order's part in one trade. Immutable. A trade with the street has one execution, between
    users two.
    """

    id = models.BigIntegerField(primary_key=True)
    trade_id = models.BigIntegerField()
    order = models.ForeignKey(Order, on_delete=models.PROTECT, db_constraint=False)
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    side = models.CharField(max_length=4)
    price = models.DecimalField(max_digits=28, decimal_places=8)
    quantity = models.DecimalField(max_digits=28, decimal_places=8)
    liquidity = models.CharField(max_length=5)
    fee = models.DecimalField(max_digits=28, decimal_places=8, default=0)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(price__gt=0, quantity__gt=0, fee__gte=0), name="execution_amounts"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "occurred_at", "id"], name="execution_by_account")
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} at {self.price}"


class TrailPeak(models.Model):
    """The best price that trailing stops of one side have seen: all of those with a number up to
    `after_sequence`. An order's mark is the best of where it began and the first peak from its own
    number on (docs/matching.md G6).
    """

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, db_index=False)
    side = models.CharField(max_length=4)
    after_sequence = models.BigIntegerField()
    price = models.DecimalField(max_digits=28, decimal_places=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "side", "after_sequence"], name="trail_peak_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.price} up to {self.after_sequence}"


class DeadMan(models.Model):
    """An API key that asked to be watched: its open orders of the account are canceled at
    `fires_at`, unless it calls again before. Nothing there: it is not watched.
    """

    key_id = models.CharField(max_length=32, primary_key=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, db_index=False)
    fires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key_id


class OrderSession(models.Model):
    """A socket whose orders end with it (docs/requests.md N1). Open while `ended_at` is null."""

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, db_index=False)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], condition=Q(ended_at__isnull=True), name="order_session_open"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class MarketPlan(models.Model):
    """A market state that an operator planned for a time (docs/market-states.md X11). Made as
    PLANNED; from then on the engine's batch writes how far it has come.
    """

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, db_index=False)
    state = models.CharField(
        max_length=12,
        choices=[(state.value, state.value) for state in STORED_STATES if state.value != "OPEN"],
    )
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500)
    planned_by_id = models.BigIntegerField(null=True)
    status = models.CharField(
        max_length=12, choices=[(status.value, status.value) for status in PlanStatus]
    )
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until_at__isnull=True) | Q(until_at__gt=F("from_at")),
                name="market_plan_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.state} from {self.from_at:%Y-%m-%d %H:%M}"


class Journal(models.Model):
    """What the engine applied, one row for each of its commits, in the same transaction; a START
    row is what an engine began with. docs/journal.md says how to read `content`.
    """

    class Kind(models.TextChoices):
        START = "START"
        BATCH = "BATCH"

    batch = models.BigIntegerField(primary_key=True)
    epoch = models.BigIntegerField()
    committed_at = models.DateTimeField()
    kind = models.CharField(max_length=5, choices=Kind.choices)
    content = models.BinaryField()

    class Meta:
        verbose_name_plural = "journal"

    def __str__(self) -> str:
        return f"{self.kind} {self.batch}"


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
