"""What has happened, for operators and auditors to read: the audit trail and the event log."""

from django.contrib import admin

from core.models import AuditEntry, AuditLink, Event
from core.read_only_admin import ReadOnlyAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["occurred_at", "actor", "action", "target", "reason", "address"]
    list_filter = ["action"]
    list_select_related = ["actor"]
    readonly_fields = ["sealed"]
    search_fields = ["target", "request_id", "actor__username", "reason"]
    number_fields = ("id",)
    ordering = ["-occurred_at", "-id"]

    @admin.display(description="sealed")
    def sealed(self, entry: AuditEntry) -> str:
        link = AuditLink.objects.filter(entry=entry).first()
        return f"at position {link.position}" if link else "not yet"


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "account_id", "account_sequence", "occurred_at"]
    list_filter = ["kind"]
    number_fields = ("id", "account_id")
    ordering = ["-id"]
