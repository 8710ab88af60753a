"""Makes `tradeportal.admin_site.PortalAdminSite` the site that every admin page registers with."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "tradeportal.admin_site.PortalAdminSite"
