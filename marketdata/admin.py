"""What trades and where, for operators to read. Halting asks the engine: see orders.admin."""

from django.contrib import admin

from core.read_only_admin import ReadOnlyAdmin
from marketdata.models import Currency, Instrument, Venue

TERMS = (
    "symbol",
    "venue",
    "asset_class",
    "base_currency",
    "quote_currency",
    "tick_size",
    "lot_size",
    "min_notional",
    "feed",
)


@admin.register(Currency)
class CurrencyAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "display_decimals"]
    search_fields = ["code", "name"]
    ordering = ["code"]


@admin.register(Venue)
class VenueAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "kind", "time_zone"]
    ordering = ["code"]


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    list_display = ["symbol", "name", "venue", "asset_class", "tick_size", "lot_size", "status"]
    list_filter = ["status", "asset_class", "venue"]
    list_select_related = ["venue"]
    search_fields = ["symbol", "name"]
    uuid_fields = ("public_id",)
    ordering = ["symbol", "pk"]
