"""Addresses of the trading pages and of the orders API (no trailing slashes: see ADR 0006)."""

from django.urls import URLPattern, URLResolver, path

from orders import api
from orders.views import charts, ordering, terminal

app_name = "orders"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", terminal.home, name="home"),
    path("terminal", terminal.terminal, name="terminal"),
    path("orders/place", ordering.place, name="place"),
    path("orders/preview", ordering.preview, name="preview"),
    path("orders/cancel-all", ordering.cancel_all, name="cancel-all"),
    path("orders/<uuid:order_id>/cancel", ordering.cancel, name="cancel"),
    path("v2/orders", api.OrdersView.as_view(), name="api-orders"),
    path("v2/orders/<uuid:order_id>", api.OneOrderView.as_view(), name="api-order"),
    path(
        "v2/orders:by_client_order_id",
        api.OrderByClientIdView.as_view(),
        name="api-order-by-client-id",
    ),
    path("charts/bars", charts.bars, name="bars"),
]
