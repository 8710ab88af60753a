"""Every address of the portal, one include an app."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from tradeportal import caches, health

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
    path("operate/caches", caches.caches, name="caches"),
    path("", include("core.urls")),
    path("accounts/", include("accounts.urls")),
    path("", include("marketdata.urls")),
    path("", include("portfolio.urls")),
    path("", include("orders.urls")),
    path("notifications/", include("notifications.urls")),
    path(
        "about/licences",
        TemplateView.as_view(template_name="about/licences.html"),
        name="licences",
    ),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "api/docs",
        # Its template fits GET alone: OPTIONS would be a server error.
        SpectacularSwaggerView.as_view(url_name="api-schema", http_method_names=["get", "head"]),
        name="api-docs",
    ),
    path("admin/", admin.site.urls),
]
handler400 = "tradeportal.error_pages.bad_request"
handler403 = "tradeportal.error_pages.forbidden"
handler404 = "tradeportal.error_pages.not_found"
handler500 = "tradeportal.error_pages.server_error"
