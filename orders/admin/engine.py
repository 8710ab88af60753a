"""The engine's lease, to read: which process leads, and how far it has come."""

from django.contrib import admin

from core.read_only_admin import ReadOnlyAdmin
from orders.models import EngineLease


@admin.register(EngineLease)
class EngineLeaseAdmin(ReadOnlyAdmin):
    list_display = ["segment", "epoch", "batch", "holder", "acquired_at", "committed_at"]
    ordering = ["segment"]
