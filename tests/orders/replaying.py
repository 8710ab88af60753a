"""Replays of the test database's journal: as a person asks for it, and on a tampered database."""

import asyncio
import json
from collections.abc import Sequence
from io import StringIO
from typing import Any

from django.core.management import call_command

from core.database import database_dsn
from orders.engine.process import connect
from orders.replay import Outcome, Request, replay_stored


def replay(*arguments: str) -> tuple[list[str], int]:
    """The lines that `manage.py replay` prints, and its exit code."""
    printed = StringIO()
    try:
        call_command("replay", *arguments, stdout=printed)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return printed.getvalue().splitlines(), end.code
    return printed.getvalue().splitlines(), 0


def replay_json(*arguments: str) -> list[dict[str, Any]]:  # Any: JSON
    lines, _ = replay("--json", *arguments)
    return [json.loads(line) for line in lines]


def assert_replays() -> Outcome:
    """The journal replays to what is stored."""
    outcome = after()
    assert outcome.difference is None
    assert outcome.is_to_end
    return outcome


def after(*statements: str) -> Outcome:
    """A replay's outcome after somebody has done this to the database; it is undone."""
    return asyncio.run(_after(statements))


async def _after(statements: Sequence[str]) -> Outcome:
    async with (
        await connect(database_dsn()) as connection,
        connection.transaction(force_rollback=True),
    ):
        for statement in statements:
            await connection.execute(statement)
        return await replay_stored(connection, Request(), lambda *_: None)
