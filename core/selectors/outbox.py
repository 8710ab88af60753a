"""How far the readers of the event log lag behind; asked by health and metrics."""

from datetime import timedelta

from django.db import connection

# The first event behind the reader stands at one end of an index: cheap whatever has piled up.
_LAG = """
    SELECT now() - event.recorded_at
    FROM core_event AS event
    WHERE (event.transaction_id, event.id) > (
        coalesce((SELECT transaction_id FROM core_eventreader WHERE name = %(reader)s), '0'::xid8),
        coalesce((SELECT event_id FROM core_eventreader WHERE name = %(reader)s), 0)
    )
    ORDER BY event.transaction_id, event.id LIMIT 1
"""


def lag(reader: str) -> timedelta:
    """The age of the oldest event that the reader has not passed; zero when it has passed them
    all.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAG, {"reader": reader})
        row = cursor.fetchone()
    return max(row[0], timedelta()) if row else timedelta()


def is_behind(reader: str) -> bool:
    """Whether anything stands behind the reader, even if its transactions are not all settled
    yet.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAG, {"reader": reader})
        return cursor.fetchone() is not None
