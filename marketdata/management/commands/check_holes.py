"""`manage.py check_holes`: which bars are missing. Exit code 1 when some are."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.domain.clock import SystemClock, from_ns
from marketdata.models import Bar, Instrument
from marketdata.services.holes import check_holes

SHOWN = 20


class Command(BaseCommand):
    help = "Look for stretches of open market without stored bars, and keep them as holes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="default: all")
        parser.add_argument("--timeframe", choices=Bar.Timeframe.values, default="1Min")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        now, timeframe = SystemClock().now(), options["timeframe"]
        instruments = Instrument.objects.select_related("venue").order_by("symbol", "pk")
        if options["symbols"]:
            instruments = instruments.filter(symbol__in=options["symbols"])
            unknown = {*options["symbols"]} - {item.symbol for item in instruments}
            if unknown:
                raise CommandError(f"there is no instrument {', '.join(sorted(unknown))}")
        found = {
            instrument.symbol: [
                (from_ns(hole.start_ns).isoformat(), from_ns(hole.end_ns).isoformat())
                for hole in check_holes(instrument, timeframe, now)
            ]
            for instrument in instruments
        }
        if options["json"]:
            self.stdout.write(json.dumps({"timeframe": timeframe, "holes": found}))
        for symbol, holes in found.items() if not options["json"] else ():
            self.stdout.write(f"{symbol} {timeframe}: {len(holes):,} holes")
            for start, end in holes[:SHOWN]:
                self.stdout.write(f"  {start} to {end}")
        if any(found.values()):
            sys.exit(1)
