"""What trades and where, for operators to read."""

from django.contrib import admin

from core.read_only_admin import ReadOnlyAdmin
from marketdata.models import Bar, Currency, Instrument, Venue


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


@admin.register(Bar)
class BarAdmin(ReadOnlyAdmin):
    list_display = ["instrument", "timeframe", "start", "open", "high", "low", "close", "source"]
    list_filter = ["timeframe", "source", "instrument"]
    list_select_related = ["instrument"]
    ordering = ["-start", "pk"]
    show_full_result_count = False
