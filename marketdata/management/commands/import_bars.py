"""`manage.py import_bars`: bars from LEAN folders, CSV and Parquet files, and adjustment factors.

import_bars --instrument AAPL --timeframe 1Day --lean .../equity/usa
import_bars --instrument AAPL --timeframe 1Min --columns time=ts,volume=vol minutes.parquet
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from core.domain.clock import SystemClock
from marketdata.domain.factors import Adjustment, Factor, parse_factors
from marketdata.domain.file_tables import FileFormatError
from marketdata.domain.lean import SourceFile, lean_bars, lean_factors
from marketdata.management.import_arguments import (
    Options,
    add_file_arguments,
    add_target_arguments,
    mapping_of,
    new_instrument,
    shown,
)
from marketdata.management.progress import ProgressBar
from marketdata.models import Bar, Instrument
from marketdata.services.factors import save_factors
from marketdata.services.holes import check_imported
from marketdata.services.importing.bars import BarImport, import_bars
from marketdata.services.importing.jobs import ImportBusyError
from marketdata.services.importing.targets import TargetError, import_feed, target_instrument

COLUMNS: Final = ("time", "open", "high", "low", "close", "volume")
KNOWN_COLUMNS: Final = (*COLUMNS, "trade_count", "vwap")
ADJUSTMENTS: Final = {
    "raw": Adjustment.RAW,
    "splits": Adjustment.SPLIT,
    "all": Adjustment.ALL,
}


class Command(BaseCommand):
    help = "Import bars; asked for the same again it goes on where it was cut off."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_target_arguments(parser)
        add_file_arguments(parser)
        parser.add_argument("--timeframe", choices=Bar.Timeframe.values, required=True)
        parser.add_argument("--replace", action="store_true", help="also bars that are there")
        parser.add_argument(
            "--factors",
            type=Path,
            metavar="FILE",
            help="LEAN's factor file; with --lean the folder's own is taken",
        )
        parser.add_argument(
            "--adjust",
            choices=sorted(ADJUSTMENTS),
            default="raw",
            help="raw stores prices as they are, and the factors, which are applied on reading;"
            " splits and all store adjusted prices and no factors",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        bar = ProgressBar(sys.stderr, options["instrument"])
        clock = SystemClock()
        try:
            files = _files(options)
            factors = _factors(options)
            asked = BarImport(
                instrument=target_instrument(options["instrument"], new_instrument(options)),
                feed=import_feed(options["feed"]),
                timeframe=options["timeframe"],
                files=files,
                source=str(options["lean"] or ", ".join(map(str, options["files"]))),
                replaces=options["replace"],
                adjustment=ADJUSTMENTS[options["adjust"]],
                factors=factors,
            )
            _settle_factors(asked, factors)
            result = import_bars(
                asked,
                clock,
                lambda so_far, rows: bar.show(
                    so_far.steps_done, so_far.steps, so_far.stored + rows
                ),
            )
        except (FileFormatError, TargetError, ImportBusyError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        bar.finish()
        result.holes = check_imported(asked.instrument, asked.timeframe, clock.now())
        self.stdout.write(shown(result, as_json=options["json"]))


def _files(options: Options) -> list[SourceFile]:
    if options["lean"] is not None:
        found = lean_bars(options["lean"], options["instrument"], options["timeframe"])
        if not found:
            raise CommandError(
                f"{options['lean']} has no {options['timeframe']} bars of"
                f" {options['instrument']}; name the folder that holds minute, hour or daily"
            )
        return found
    if not options["files"]:
        raise CommandError("name --lean FOLDER or the files")
    mapping = mapping_of(options, COLUMNS, KNOWN_COLUMNS)
    return [SourceFile(path.resolve(), "bar", mapping, options["day"]) for path in options["files"]]


def _factors(options: Options) -> list[Factor]:
    path = options["factors"]
    if path is None and options["lean"] is not None:
        path = lean_factors(options["lean"], options["instrument"])
    return parse_factors(path.read_text()) if path is not None else []


def _settle_factors(asked: BarImport, factors: list[Factor]) -> None:
    """Raw bars come with their factors; adjusted ones must never meet any, or reading would adjust
    them a second time.
    """
    if asked.adjustment is Adjustment.RAW:
        if factors:
            save_factors(asked.instrument, factors, asked.feed.name)
        return
    if not factors:
        raise TargetError("there are no factors to adjust with; name --factors FILE")
    if Instrument.objects.filter(pk=asked.instrument.pk, factors__isnull=False).exists():
        raise TargetError(
            f"{asked.instrument.symbol} has stored factors, which are applied when its bars are"
            " read; import with --adjust raw"
        )
