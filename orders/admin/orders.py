"""Orders and executions, to read."""

from django.contrib import admin

from core.read_only_admin import ReadOnlyAdmin
from orders.models import Execution, Order


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "account",
        "instrument",
        "side",
        "type",
        "quantity",
        "limit_price",
        "stop_price",
        "filled_quantity",
        "status",
        "submitted_at",
    ]
    list_filter = ["status", "side", "type", "time_in_force"]
    list_select_related = ["account", "instrument"]
    search_fields = ["client_order_id", "instrument__symbol", "account__owner__username"]
    uuid_fields = ("id", "account__public_id")
    number_fields = ("sequence",)
    ordering = ["-sequence"]


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "trade_id",
        "account",
        "instrument",
        "side",
        "price",
        "quantity",
        "liquidity",
        "fee",
        "occurred_at",
    ]
    list_filter = ["liquidity", "side"]
    list_select_related = ["account", "instrument"]
    search_fields = ["instrument__symbol", "account__owner__username"]
    uuid_fields = ("order_id", "account__public_id")
    number_fields = ("id", "trade_id")
    ordering = ["-id"]
