"""`manage.py verify_ledger`: does everything that is stored about money and orders agree?

Exit code 0: yes. 1: no, and every row that does not is named. Safe on a running portal.
"""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from orders.verification import discrepancies


class Command(BaseCommand):
    help = "Prove that ledger, positions, holds, orders and events agree; exit code 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        is_clean = self._print_json() if options["json"] else self._print_lines()
        if not is_clean:
            sys.exit(1)

    def _print_json(self) -> bool:
        found = [asdict(discrepancy) for discrepancy in discrepancies()]
        self.stdout.write(json.dumps({"is_clean": not found, "discrepancies": found}))
        return not found

    def _print_lines(self) -> bool:
        count = 0
        for found in discrepancies():
            count += 1
            self.stdout.write(f"{found.check}: {found.row}: {found.problem}")
        self.stdout.write(
            f"{count} discrepancies. Nothing was changed."
            if count
            else "The ledger is clean: money, positions, holds, orders and events agree."
        )
        return not count
