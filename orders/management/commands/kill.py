"""`manage.py kill --scope firm --reason "…"`: the kill switch from the command line.

Works on a running portal and on a stopped one. Enabling again takes two persons and is not offered
here.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.domain.origin import Origin
from orders.services.trading_states import restrict, scope_of
from risk.domain.states import TradingState

STATES = [state.value.lower() for state in TradingState if state is not TradingState.ACTIVE]


class Command(BaseCommand):
    help = "Halt trading in a scope and cancel its open orders (docs/risk.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scope",
            required=True,
            help="firm, desk:NAME, account:ID, strategy:ID:TAG or symbol:AAPL",
        )
        parser.add_argument("--reason", required=True, help="goes into the audit trail")
        parser.add_argument("--state", choices=STATES, default="halted")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        now = SystemClock().now()
        try:
            switched = restrict(
                scope=scope_of(options["scope"], None),
                state=TradingState(options["state"].upper()),
                reason=options["reason"][:500],
                actor=None,
                origin=Origin(now=now, request_id="command-line"),
            )
        except Refusal as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(
            f"{options['scope']} is {switched.state}; {switched.canceled} orders were canceled."
        )
