"""Writes the sessions that a batch changed: rows put in or replaced, and rows taken away."""

from collections.abc import Collection
from datetime import date

from core.batch_sql import EPOCH_SQL, Write, micros, texts
from marketdata.domain.sessions import Session

Row = tuple[tuple[str, date], Session | None]

_CHANGED = f"""
INSERT INTO marketdata_session (calendar, day, opens_at, closes_at)
SELECT calendar, day::date, {EPOCH_SQL.format("opens")}, {EPOCH_SQL.format("closes")}
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])
  AS item (calendar, day, opens, closes)
ON CONFLICT (calendar, day) DO UPDATE SET opens_at = excluded.opens_at,
  closes_at = excluded.closes_at
"""  # noqa: S608  # the only thing formatted in is a constant of ours

_REMOVED = """
DELETE FROM marketdata_session USING unnest(%s::text[], %s::text[]) AS item (calendar, day)
WHERE marketdata_session.calendar = item.calendar AND marketdata_session.day = item.day::date
"""


def changed_sessions(rows: Collection[Row]) -> Write:
    """Sessions that are new or have other hours now."""
    found = [(code, session) for (code, _), session in rows if session is not None]
    return Write(
        _CHANGED,
        (
            texts(code for code, _ in found),
            texts(session.day.isoformat() for _, session in found),
            micros(session.opens_ns for _, session in found),
            micros(session.closes_ns for _, session in found),
        ),
    )


def removed_sessions(rows: Collection[Row]) -> Write:
    """Days on which the venue does not open after all."""
    found = [key for key, session in rows if session is None]
    return Write(_REMOVED, (texts(code for code, _ in found), texts(str(day) for _, day in found)))
