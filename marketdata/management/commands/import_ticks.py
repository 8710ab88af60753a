"""`manage.py import_ticks`: trades and quotes from LEAN folders, CSV and Parquet files.

import_ticks --instrument AIG --create --lean .../equity/usa
import_ticks --instrument AIG --kind trade --columns time=ts,price=p,size=q trades.csv
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.domain.clock import SystemClock
from marketdata.domain.file_tables import FileFormatError
from marketdata.domain.lean import SourceFile, lean_ticks
from marketdata.management.import_arguments import (
    Options,
    add_file_arguments,
    add_target_arguments,
    mapping_of,
    new_instrument,
    shown,
)
from marketdata.management.progress import ProgressBar
from marketdata.services.importing.jobs import ImportBusyError
from marketdata.services.importing.targets import TargetError, import_feed, target_instrument
from marketdata.services.importing.ticks import TickImport, import_ticks

TRADE_COLUMNS = ("time", "price", "size")
QUOTE_COLUMNS = ("time", "bid", "bid_size", "ask", "ask_size")
KNOWN_COLUMNS = (*TRADE_COLUMNS, *QUOTE_COLUMNS[1:], "side", "exchange", "suspicious")


class Command(BaseCommand):
    help = "Import trades and quotes; asked for the same again it goes on where it was cut off."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_target_arguments(parser)
        add_file_arguments(parser)
        parser.add_argument(
            "--bars", action="store_true", help="also store the minutes that the trades draw"
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="remove what other feeds have stored within a file's time (and bars, with --bars)",
        )
        parser.add_argument("--kind", choices=("trade", "quote"), help="what CSV or Parquet holds")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        bar = ProgressBar(sys.stderr, options["instrument"])
        try:
            files = _files(options)
            asked = TickImport(
                instrument=target_instrument(options["instrument"], new_instrument(options)),
                feed=import_feed(options["feed"]),
                files=files,
                source=str(options["lean"] or ", ".join(map(str, options["files"]))),
                draws_bars=options["bars"],
                replaces=options["replace"],
            )
            result = import_ticks(
                asked,
                SystemClock(),
                lambda so_far, rows: bar.show(
                    so_far.steps_done, so_far.steps, so_far.stored + rows
                ),
            )
        except (FileFormatError, TargetError, ImportBusyError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        bar.finish()
        self.stdout.write(shown(result, as_json=options["json"]))


def _files(options: Options) -> list[SourceFile]:
    if options["lean"] is not None:
        found = lean_ticks(options["lean"], options["instrument"])
        if not found:
            raise CommandError(
                f"{options['lean']} has no ticks of {options['instrument']}; name the folder that"
                " holds the folder tick"
            )
        return found
    if not options["files"] or options["kind"] is None:
        raise CommandError("name --lean FOLDER, or --kind and the files")
    required = TRADE_COLUMNS if options["kind"] == "trade" else QUOTE_COLUMNS
    mapping = mapping_of(options, required, KNOWN_COLUMNS)
    return [
        SourceFile(path.resolve(), options["kind"], mapping, options["day"])
        for path in options["files"]
    ]
