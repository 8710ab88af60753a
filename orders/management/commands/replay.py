"""`manage.py replay`: do again what the journal says, and prove that it is what is stored.

Exit code 0: it is. 1: it is not, and the first difference is named. Safe on a running portal.
"""

import asyncio
import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.database import database_dsn
from orders.engine.process import connect
from orders.engine.replaying import Applied
from orders.engine.state import EngineState, Instrument
from orders.replay import Outcome, Request, replay_in_snapshot
from orders.replay.rows import JournalRow, Moment
from orders.replay.told import applied_line, applied_told, concerns, state_lines, state_told


class Command(BaseCommand):
    help = "Replay the engine's journal and prove that it gives what is stored; exit code 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kind = "a batch's number, or a time such as 2026-03-02T15:30:00Z"
        parser.add_argument("--from", dest="from_", type=_moment, help=f"tell each command: {kind}")
        parser.add_argument("--to", type=_moment, help=f"stop there, and show the books: {kind}")
        parser.add_argument("--symbol", help="tell of this instrument only")
        parser.add_argument("--json", action="store_true", help="print JSON, one object a line")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        self._symbol: str | None = options["symbol"]
        self._is_json: bool = options["json"]
        outcome = asyncio.run(self._replay(Request(options["from_"], options["to"])))
        wants_state = options["to"] is not None or self._symbol is not None
        if wants_state and outcome.state is not None and outcome.difference is None:
            self._tell_state(outcome.state, outcome.now_ns)
        self._tell_outcome(outcome)
        if outcome.difference is not None:
            sys.exit(1)

    async def _replay(self, request: Request) -> Outcome:
        async with await connect(database_dsn()) as connection:
            return await replay_in_snapshot(connection, request, self._tell)

    def _tell(self, row: JournalRow, applied: Applied, state: EngineState) -> None:
        only = self._only(state)
        if only is None or concerns(applied, only):
            told = applied_told(row, applied)
            self.stdout.write(json.dumps(told) if self._is_json else applied_line(told))

    def _tell_state(self, state: EngineState, now_ns: int) -> None:
        told = state_told(state, now_ns, self._only(state))
        if self._is_json:
            self.stdout.write(json.dumps(told))
            return
        for line in state_lines(told):
            self.stdout.write(line)

    def _only(self, state: EngineState) -> Instrument | None:
        """The instrument that was asked for."""
        if self._symbol is None:
            return None
        instrument = state.instrument(self._symbol)
        if instrument is None:
            raise CommandError(f"There is no instrument {self._symbol}.")
        return instrument

    def _tell_outcome(self, outcome: Outcome) -> None:
        if self._is_json:
            told = ("first", "batches", "commands", "events", "is_to_end", "difference")
            fields = {name: getattr(outcome, name) for name in told}
            self.stdout.write(json.dumps({"is_identical": outcome.difference is None, **fields}))
        else:
            self.stdout.write(_sentence(outcome))


def _sentence(outcome: Outcome) -> str:
    if outcome.difference is not None:
        return f"Not identical: {outcome.difference}"
    if not outcome.batches:
        return "The journal is empty: there is nothing to replay."
    stored = " and the stored state" if outcome.is_to_end else ""
    return (
        f"Replayed {outcome.commands:,} commands in {outcome.batches:,} batches from batch"
        f" {outcome.first} on: {outcome.events:,} events{stored} are identical."
    )


def _moment(text: str) -> Moment:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no batch and no time") from error
    if moment.tzinfo is None:
        raise ArgumentTypeError(f"{text} does not name its time zone: write 2026-03-02T15:30:00Z")
    return moment
