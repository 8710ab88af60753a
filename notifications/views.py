"""The notifications page and what its buttons do. Everyone sees and marks their own only."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from core.domain.clock import SystemClock
from notifications.models import Notification
from notifications.selectors import as_json, notifications_visible_to, unread_count
from notifications.services import reading

PAGE_SIZE = 50


@require_GET
@login_required
def notification_list(request: HttpRequest) -> HttpResponse:
    """Context: `items` (Notification JSON, newest first), `unread`, `page` (Django's page
    object). JSON `{"items", "unread"}` when asked for: the bell's way to catch up.
    """
    paginator = Paginator(notifications_visible_to(request.user), PAGE_SIZE)
    page = paginator.get_page(request.GET.get("page"))
    state = {
        "items": [as_json(each) for each in page.object_list],
        "unread": unread_count(request.user),
    }
    if _wants_json(request):
        return JsonResponse(state)
    return render(request, "notifications/list.html", {**state, "page": page})


@require_POST
@login_required
def read(request: HttpRequest, notification_id: int) -> HttpResponse:
    """Mark one read. JSON `{"notification", "unread"}` when asked for, else back to the page."""
    try:
        notification = reading.mark_read(
            viewer=_viewer(request), notification_id=notification_id, now=SystemClock().now()
        )
    except Notification.DoesNotExist as error:
        raise Http404 from error
    if _wants_json(request):
        unread = unread_count(request.user)
        return JsonResponse({"notification": as_json(notification), "unread": unread})
    return _back(request)


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything read. JSON `{"unread": 0}` when asked for, else back to the page."""
    reading.mark_all_read(viewer=_viewer(request), now=SystemClock().now())
    return JsonResponse({"unread": 0}) if _wants_json(request) else _back(request)


def _viewer(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required let it pass
    return request.user


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return redirect(target if is_ours else "notifications:list")
