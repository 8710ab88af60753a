"""Management commands for a running portal, many in one process: tests/live_portal.py starts it.

Starting Django costs a second, and a test of a whole portal asks for people, keys and proofs again
and again. Reads lines of JSON, [name, argument, ...]; answers each with a line, [what the command
printed, how it failed or ""]. It ends when its input does.
"""

import io
import json
import sys
import traceback
from contextlib import redirect_stdout

from django.core.management import call_command
from django.db import connections


def serve() -> None:
    for line in sys.stdin:
        printed, failure = io.StringIO(), ""
        try:
            with redirect_stdout(printed):
                call_command(*json.loads(line))
        except (Exception, SystemExit):  # noqa: BLE001  # whatever it is, the test is told
            failure = traceback.format_exc()
        connections.close_all()
        sys.stdout.write(json.dumps([printed.getvalue(), failure]) + "\n")
        sys.stdout.flush()
