"""The operator's view of who was told what, and of deliveries that died."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.domain.roles import RETRY_DELIVERIES
from accounts.models import User
from core.domain.clock import SystemClock
from core.read_only_admin import ReadOnlyAdmin
from core.request_context import origin_of
from notifications.models import Delivery, Notification
from notifications.services.delivering import revive_delivery


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["id", "user", "kind", "title", "created_at", "read_at"]
    list_filter = ["kind"]
    list_select_related = ["user"]
    search_fields = ["user__username", "title"]
    number_fields = ("id", "event_id")
    ordering = ["-id"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["id", "notification", "transport", "address", "state", "attempts", "due_at"]
    list_filter = ["state", "transport"]
    list_select_related = ["notification"]
    search_fields = ["address", "error"]
    number_fields = ("id",)
    ordering = ["-id"]
    actions = ["retry"]

    @admin.action(description="Try dead deliveries again", permissions=["retry"])
    def retry(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        assert isinstance(request.user, User)
        origin = origin_of(request, SystemClock().now())
        revived = sum(
            revive_delivery(delivery=delivery, actor=request.user, origin=origin)
            for delivery in deliveries
        )
        self.message_user(request, f"{revived} dead deliveries are sent again.", messages.SUCCESS)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RETRY_DELIVERIES)
