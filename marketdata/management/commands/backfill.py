"""`manage.py backfill SYMBOL --feed NAME --timeframe 1Min --start TIME`: bars from a provider.

Asked for the same again, it goes on where it was cut off.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.domain.clock import Clock, SystemClock
from marketdata.domain.plan import FeedOptionError
from marketdata.domain.ports import Historian
from marketdata.feeds import HISTORIANS, historian_factory
from marketdata.management.import_arguments import shown
from marketdata.management.progress import ProgressBar
from marketdata.models import Bar, Feed, FeedRoute, Instrument
from marketdata.selectors.feed_setup import feed_setup
from marketdata.services.backfill import Backfill, backfill
from marketdata.services.importing.jobs import ImportBusyError


class Command(BaseCommand):
    help = "Fill the store with a provider's bars."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("--feed", required=True, metavar="NAME", help="whom to ask")
        parser.add_argument("--timeframe", choices=Bar.Timeframe.values, default="1Min")
        parser.add_argument("--start", type=_moment, required=True, metavar="TIME")
        parser.add_argument(
            "--end", type=_moment, metavar="TIME", help="not included; default: today's midnight"
        )
        parser.add_argument("--holes", action="store_true", help="only where holes are known")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        clock = SystemClock()
        bar = ProgressBar(sys.stderr, options["symbol"])
        midnight = datetime.combine(clock.now().date(), time(), UTC)
        asked = Backfill(
            instrument=_instrument(options["symbol"]),
            feed=_feed(options["feed"]),
            timeframe=options["timeframe"],
            start=options["start"],
            end=options["end"] or midnight,
            holes_only=options["holes"],
        )
        if asked.start >= asked.end:
            raise CommandError("--start must be before --end")
        historian = _historian(asked, clock)
        try:
            result = backfill(
                asked,
                historian,
                clock,
                lambda so_far, rows: bar.show(so_far.steps_done, so_far.steps, so_far.stored),
            )
        except (ImportBusyError, OSError) as error:
            raise CommandError(f"{error}; the same command goes on from here") from error
        bar.finish()
        self.stdout.write(shown(result, as_json=options["json"]))


def _instrument(symbol: str) -> Instrument:
    found = Instrument.objects.select_related("venue").filter(symbol=symbol).first()
    if found is None:
        raise CommandError(f"there is no instrument {symbol}")
    return found


def _feed(name: str) -> Feed:
    feed = Feed.objects.filter(name=name).first()
    known = Feed.objects.filter(adapter__in=HISTORIANS).order_by("name")
    if feed is None or feed.adapter not in HISTORIANS:
        names = ", ".join(known.values_list("name", flat=True)) or "none so far"
        raise CommandError(f"{name} is no feed that knows the past; those that do: {names}")
    return feed


def _historian(asked: Backfill, clock: Clock) -> Historian:
    if not FeedRoute.objects.filter(feed=asked.feed, instrument=asked.instrument).exists():
        raise CommandError(
            f"{asked.instrument.symbol} does not take prices from {asked.feed.name}; add a route"
        )
    try:
        return historian_factory(asked.feed.adapter)(feed_setup(asked.feed, clock))
    except FeedOptionError as error:
        raise CommandError(f"{asked.feed.name}: {error}") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no time: write it as 2026-03-02T15:30Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
