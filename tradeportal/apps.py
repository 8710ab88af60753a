"""Registers the composition root with Django, and with it the Celery application.

Every Django process imports it here, so that a task asked for anywhere goes to our broker.
"""

from django.apps import AppConfig

from tradeportal.celery import app as celery_app


class TradeportalConfig(AppConfig):
    name = "tradeportal"
    default_auto_field = "django.db.models.BigAutoField"
    celery_app = celery_app
