"""Composition root: settings, urls, the ASGI entry, Celery and the supervisor.

`tradeportal.celery_app` is made when someone first asks for it: the supervisor lives in this
package too and runs before Celery is installed.
"""

import importlib

__all__ = ["celery_app"]


def __getattr__(name: str) -> object:
    if name == "celery_app":
        return importlib.import_module("tradeportal.celery").app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
