"""Addresses of the notifications app."""

from django.urls import URLPattern, URLResolver, path

from notifications import views

app_name = "notifications"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.notification_list, name="list"),
    path("<int:notification_id>/read", views.read, name="read"),
    path("read-all", views.read_all, name="read-all"),
]
