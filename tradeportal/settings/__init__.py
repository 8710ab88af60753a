"""Settings of a running portal; tests use `tradeportal.settings.test`, which builds on the same
base.
"""

from tradeportal.settings.base import *  # noqa: F403
