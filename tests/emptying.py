"""Empties the test database after a test that commits, in place of Django's flush.

Flush truncates every table there is, each a new file for it and for each of its indexes, and makes
all permissions anew: most of what a short test costs. Here only what has rows is emptied, in one
statement, and content types and permissions stay; truncated is only the audit trail, which refuses
to be deleted. Nor may a session be left behind: what it holds, a lock or the engine's lease, would
fail another test that knows nothing of it.
"""

import time

from django.apps import apps
from django.db import connection, connections

from tests.engine_process import PATIENCE_SECONDS

KEPT = {"auth_permission", "django_content_type"}
OTHERS = """
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND backend_type = 'client backend'
"""
EMPTY = """
DO $$
DECLARE
    name text;
    has_rows boolean;
BEGIN
    FOREACH name IN ARRAY string_to_array('{names}', ' ') LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO has_rows;
        IF has_rows AND name LIKE 'core_audit%' THEN
            TRUNCATE core_auditentry, core_auditlink;
        ELSIF has_rows THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""


def empty_database(test_case: object) -> None:
    """Wait until no other session is left, then delete all rows; fail if one stays."""
    connections.close_all()  # this thread's own
    left = _sessions_left()
    with connection.cursor() as cursor:
        if left:
            cursor.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
        cursor.execute(EMPTY.format(names=" ".join(_tables())))
    assert not left, f"the test has left sessions in the database: {left}"


def _sessions_left() -> list[tuple[str, ...]]:
    """What stays after long enough: application name, state and last statement of each."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT application_name, state, query {OTHERS}")
            left: list[tuple[str, ...]] = cursor.fetchall()
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.01)


def _tables() -> list[str]:
    models = apps.get_models(include_auto_created=True)
    return sorted({model._meta.db_table for model in models} - KEPT)
