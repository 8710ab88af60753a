"""Keeps a scheduled job to one run a period, however many schedulers there are (two beats in a
failover).
"""

from datetime import datetime, timedelta

from django.db import connection

_CLAIM = """
    INSERT INTO core_periodicrun AS run (name, started_at) VALUES (%(name)s, %(now)s)
    ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at
    WHERE run.started_at <= excluded.started_at - make_interval(secs => %(gap)s)
       OR run.started_at > excluded.started_at
    RETURNING name
"""


def claim_run(name: str, *, period: timedelta, now: datetime) -> bool:
    """Whether the caller may run the job now; False when it began less than half a period ago.

    Half: schedulers tick a little early or late, and a whole period would skip every second run. A
    start in the future (a clock set back) does not block the job.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"name": name, "now": now, "gap": period.total_seconds() / 2})
        return cursor.fetchone() is not None
