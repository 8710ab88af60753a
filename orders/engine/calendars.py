"""The sessions of calendars: told to the engine by a command, kept in its memory and its tables.

Rule K1 of docs/market-states.md. Decisions read them by `now`; nothing happens here when one opens
or closes.
"""

from datetime import date

from marketdata.domain.sessions import Calendar, Session
from orders.domain.market_commands import SetSessions
from orders.engine.step import Step


def set_sessions(step: Step, command: SetSessions) -> None:
    """Take in what changed. Orders that were accepted keep the end that they were given."""
    calendar = step.state.calendars.get(command.calendar)
    if calendar is None:
        calendar = step.state.calendars[command.calendar] = Calendar(command.calendar)
    sessions = [
        Session(date.fromisoformat(day), opens_ns, closes_ns)
        for day, opens_ns, closes_ns in command.sessions
    ]
    removed = [date.fromisoformat(day) for day in command.removed]
    calendar.change(sessions, removed)
    for day in removed:
        step.changes.sessions[calendar.code, day] = None
    for session in sessions:
        step.changes.sessions[calendar.code, session.day] = session
