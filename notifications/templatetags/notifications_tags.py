"""The bell in every page's header: how many are unread, and the newest few."""

from typing import Any

from django import template

from notifications.selectors import as_json, notifications_visible_to, unread_count

BELL_ITEMS = 8

register = template.Library()


@register.inclusion_tag("notifications/bell.html", takes_context=True)
def notifications_bell(context: template.Context) -> dict[str, Any]:  # Any: a template's context
    viewer = context["request"].user
    return {
        "unread": unread_count(viewer),
        "items": [as_json(each) for each in notifications_visible_to(viewer)[:BELL_ITEMS]],
    }
