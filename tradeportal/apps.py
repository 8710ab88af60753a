"""Registers the composition root, so that its management commands and checks are found."""

from django.apps import AppConfig


class TradeportalConfig(AppConfig):
    name = "tradeportal"
    default_auto_field = "django.db.models.BigAutoField"
