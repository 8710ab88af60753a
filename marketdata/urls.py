"""Addresses of the marketdata app."""

from django.urls import URLPattern, URLResolver

app_name = "marketdata"
urlpatterns: list[URLPattern | URLResolver] = []
