"""The operator's view of events that a handler could not take, with a way to run them again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.domain.roles import RETRY_EVENTS
from accounts.models import User
from core.domain.clock import SystemClock
from core.models import FailedEvent
from core.read_only_admin import ReadOnlyAdmin
from core.request_context import origin_of
from core.services import audit
from tradeportal.relay import retry_failed
from tradeportal.subscriptions import SUBSCRIPTIONS


@admin.register(FailedEvent)
class FailedEventAdmin(ReadOnlyAdmin):
    list_display = ["id", "handler", "event", "attempts", "failed_at", "resolved_at"]
    list_filter = ["handler", ("resolved_at", admin.EmptyFieldListFilter)]
    list_select_related = ["event"]
    search_fields = ["error"]
    number_fields = ("id", "event_id")
    ordering = ["-id"]
    actions = ["run_again"]

    @admin.action(description="Run again", permissions=["retry"])
    def run_again(self, request: HttpRequest, failed_events: QuerySet[FailedEvent]) -> None:
        assert isinstance(request.user, User)
        now = SystemClock().now()
        done = 0
        for failed in failed_events.filter(resolved_at__isnull=True).order_by("event_id"):
            is_done = retry_failed(failed, SUBSCRIPTIONS, now)
            audit.record(
                actor=request.user,
                action="FailedEventRunAgain",
                target=f"event {failed.event_id} for {failed.handler}",
                origin=origin_of(request, now),
                facts={"is_done": is_done},
            )
            done += is_done
        self.message_user(request, f"{done} events were taken this time.", messages.SUCCESS)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RETRY_EVENTS)
