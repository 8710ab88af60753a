"""Addresses of the trading pages."""

from django.urls import URLPattern, URLResolver, path

from orders.views import charts, ordering, terminal

app_name = "orders"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", terminal.home, name="home"),
    path("terminal", terminal.terminal, name="terminal"),
    path("orders/place", ordering.place, name="place"),
    path("orders/preview", ordering.preview, name="preview"),
    path("orders/cancel-all", ordering.cancel_all, name="cancel-all"),
    path("orders/<uuid:order_id>/cancel", ordering.cancel, name="cancel"),
    path("charts/bars", charts.bars, name="bars"),
]
