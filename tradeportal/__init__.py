"""Composition root: settings, urls, the ASGI entry, Celery and the supervisor."""
