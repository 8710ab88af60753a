"""The look and the menu of the console (django-unfold's settings). Imported by the settings.

Every entry names the permission that its page asks for, so nobody sees a link that would refuse
them.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _allows(permission: str) -> Callable[[HttpRequest], bool]:
    def is_allowed(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return is_allowed


def _page(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _allows(f"{app}.view_{model}"),
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Tradeportal console",
    "SITE_HEADER": "Tradeportal",
    "SITE_SUBHEADER": "Operators' console",
    "SITE_URL": "/terminal",
    "SITE_SYMBOL": "candlestick_chart",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "People",
                "separator": True,
                "items": [
                    _page("Users", "group", "accounts", "user"),
                    _page("API keys", "key", "accounts", "apikey"),
                ],
            },
            {
                "title": "Market",
                "separator": True,
                "items": [
                    _page("Instruments", "monitoring", "marketdata", "instrument"),
                    _page("Market plans", "event_upcoming", "orders", "marketplan"),
                    _page("Feeds", "sensors", "marketdata", "feed"),
                    _page("Bars", "bar_chart", "marketdata", "bar"),
                    _page("Venues", "account_balance", "marketdata", "venue"),
                    _page("Currencies", "payments", "marketdata", "currency"),
                ],
            },
            {
                "title": "Trading",
                "separator": True,
                "items": [
                    _page("Orders", "receipt_long", "orders", "order"),
                    _page("Executions", "done_all", "orders", "execution"),
                    _page("Engine lease", "memory", "orders", "enginelease"),
                ],
            },
            {
                "title": "Risk",
                "separator": True,
                "items": [
                    _page("Trading states", "front_hand", "risk", "tradingstate"),
                    _page("Limits", "speed", "risk", "limit"),
                    _page("Requests", "group_add", "risk", "changerequest"),
                    _page("Scheduled switches", "schedule", "risk", "scheduledswitch"),
                    _page("Desks", "table_restaurant", "portfolio", "desk"),
                ],
            },
            {
                "title": "Money",
                "separator": True,
                "items": [
                    _page("Trading accounts", "wallet", "portfolio", "tradingaccount"),
                    _page("Fee tiers", "percent", "portfolio", "feetier"),
                    _page("Balances", "savings", "portfolio", "balance"),
                    _page("Positions", "pie_chart", "portfolio", "position"),
                    _page("Holds", "lock", "portfolio", "hold"),
                    _page("Transfers", "swap_horiz", "portfolio", "transfer"),
                ],
            },
            {
                "title": "Messages",
                "separator": True,
                "items": [
                    _page("Notifications", "notifications", "notifications", "notification"),
                    _page("Deliveries", "outgoing_mail", "notifications", "delivery"),
                ],
            },
            {
                "title": "Records",
                "separator": True,
                "items": [
                    _page("Audit trail", "policy", "core", "auditentry"),
                    _page("Events", "history", "core", "event"),
                    _page("Failed events", "running_with_errors", "core", "failedevent"),
                ],
            },
        ],
    },
}
