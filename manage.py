#!/usr/bin/env python
"""Django's command line; `./portal manage` runs it with the running environment's settings."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeportal.settings.base")
    execute_from_command_line(sys.argv)
