"""What is owned, for operators and auditors to read. The engine alone writes these tables.

Trading accounts themselves are shown by orders.admin, because what is done to them goes through the
engine.
"""

from django.contrib import admin

from core.read_only_admin import ReadOnlyAdmin
from portfolio.models import Balance, Hold, Position, Transfer


@admin.register(Balance)
class BalanceAdmin(ReadOnlyAdmin):
    list_display = ["account", "currency", "total", "locked", "fees_paid", "is_overdraft_allowed"]
    list_filter = ["currency"]
    list_select_related = ["account", "currency"]
    search_fields = ["account__name", "account__owner__username"]
    uuid_fields = ("account__public_id",)
    ordering = ["account", "currency", "pk"]


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = ["account", "instrument", "quantity", "locked", "cost_basis", "realized_pnl"]
    list_select_related = ["account", "instrument"]
    search_fields = ["account__name", "account__owner__username", "instrument__symbol"]
    uuid_fields = ("account__public_id",)
    ordering = ["account", "instrument", "pk"]


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ["order_id", "account", "currency", "instrument", "amount", "remaining", "state"]
    list_filter = ["state"]
    list_select_related = ["account", "currency", "instrument"]
    uuid_fields = ("order_id", "account__public_id")
    ordering = ["-pk"]


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "kind",
        "debit_account",
        "credit_account",
        "amount",
        "currency",
        "trade_id",
        "occurred_at",
    ]
    list_filter = ["kind", "currency"]
    list_select_related = ["debit_account", "credit_account", "currency"]
    number_fields = ("id", "trade_id")
    uuid_fields = ("debit_account__public_id", "credit_account__public_id")
    ordering = ["-id"]
