"""Every address of the portal, one include an app."""

from django.contrib import admin
from django.urls import include, path

from tradeportal import health

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
    path("", include("core.urls")),
    path("accounts/", include("accounts.urls")),
    path("", include("marketdata.urls")),
    path("", include("portfolio.urls")),
    path("", include("orders.urls")),
    path("notifications/", include("notifications.urls")),
    path("admin/", admin.site.urls),
]
