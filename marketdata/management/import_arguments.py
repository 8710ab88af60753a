"""The options that import commands share: what to fill, from where, and how files are read."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError

from marketdata.domain.file_tables import ColumnMapping
from marketdata.domain.file_times import TimeFormat
from marketdata.models import Instrument
from marketdata.services.importing.jobs import ImportResult
from marketdata.services.importing.targets import NewInstrument

Options = Mapping[str, Any]  # Any: argparse's values
LARGEST_SHIFT: Final = 8


def add_target_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--instrument", required=True, metavar="SYMBOL", help="what to fill")
    parser.add_argument("--feed", default="import", metavar="NAME", help="named as the source")
    parser.add_argument("--create", action="store_true", help="make the instrument if need be")
    new = parser.add_argument_group("how to make it")
    new.add_argument("--asset-class", choices=Instrument.AssetClass.values, default="us_equity")
    new.add_argument("--venue", default="XNYS", metavar="CODE")
    new.add_argument("--calendar", default="XNYS", metavar="CODE", help="or ALWAYS")
    new.add_argument("--time-zone", default="America/New_York", metavar="ZONE")
    new.add_argument("--name", default="")
    new.add_argument("--tick-size", type=_decimal, default=Decimal("0.01"))
    new.add_argument("--lot-size", type=_decimal, default=Decimal(1))
    new.add_argument("--currency", default="USD", metavar="CODE")
    new.add_argument("--base-currency", metavar="CODE")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_file_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=Path, help="CSV (also in a zip) or Parquet files")
    parser.add_argument(
        "--lean", type=Path, metavar="FOLDER", help="a folder of LEAN, such as .../equity/usa"
    )
    how = parser.add_argument_group("how CSV and Parquet files are read")
    how.add_argument(
        "--columns",
        default="",
        metavar="NAME=COLUMN,...",
        help="the file's column for each name: its header, or its position from 0",
    )
    how.add_argument("--no-header", action="store_true", help="the first line is a row")
    how.add_argument("--delimiter", default=",")
    how.add_argument(
        "--time-format",
        default="iso",
        help="iso; s, ms, us or ns since 1970; ms-of-day; or a format of strptime",
    )
    how.add_argument("--zone", default="UTC", help="where the file's local times are local")
    how.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="what ms-of-day counts from")
    how.add_argument(
        "--price-shift", type=_shift, default=0, metavar="N", help="prices count in 10^-N"
    )
    how.add_argument(
        "--size-shift", type=_shift, default=0, metavar="N", help="sizes count in 10^-N"
    )


def new_instrument(options: Options) -> NewInstrument | None:
    """How to make the instrument; None without --create."""
    if not options["create"]:
        return None
    return NewInstrument(
        asset_class=options["asset_class"],
        venue=options["venue"],
        calendar=options["calendar"],
        time_zone=options["time_zone"],
        name=options["name"],
        tick_size=options["tick_size"],
        lot_size=options["lot_size"],
        quote_currency=options["currency"],
        base_currency=options["base_currency"],
    )


def mapping_of(
    options: Options, required: tuple[str, ...], known: tuple[str, ...]
) -> ColumnMapping:
    """The mapping that the options state; every column has its own name unless told otherwise."""
    columns: dict[str, str] = {}
    for item in filter(None, options["columns"].split(",")):
        name, equals, there = item.partition("=")
        if name not in known or not equals:
            raise CommandError(f"--columns: {item!r}; write one of {', '.join(known)} and =COLUMN")
        columns[name] = there
    for name in required:
        columns.setdefault(name, name)
    return ColumnMapping(
        columns=columns,
        time=TimeFormat(options["time_format"], options["zone"]),
        delimiter=options["delimiter"],
        has_header=not options["no_header"],
        price_shift=options["price_shift"],
        size_shift=options["size_shift"],
    )


def shown(result: ImportResult, *, as_json: bool) -> str:
    """The result as a sentence, or as one JSON object."""
    tally = result.tally
    refused = {str(reason): count for reason, count in sorted(tally.refused.items())}
    there = tally.rows - tally.refused.total() - result.stored
    if as_json:
        return json.dumps(
            {
                "job": result.job_id,
                "steps": result.steps,
                "steps_done": result.steps_done,
                "rows": tally.rows,
                "stored": result.stored,
                "already_there": there,
                "refused": refused,
                "crossed": tally.crossed,
                "holes": result.holes,
            }
        )
    parts = [f"{tally.rows:,} rows: {result.stored:,} stored, {there:,} there already"]
    parts += [f"{count:,} refused as {reason}" for reason, count in refused.items()]
    if tally.crossed:
        parts.append(f"{tally.crossed:,} crossed quotes among the stored")
    if result.holes:
        parts.append(f"{result.holes:,} holes are left")
    return "; ".join(parts) + "."


def _decimal(text: str) -> Decimal:
    with suppress(InvalidOperation):
        value = Decimal(text)
        if value.is_finite() and value > 0:
            return value
    raise ArgumentTypeError(f"{text!r} is no step: a number above zero, such as 0.01")


def _day(text: str) -> date:
    with suppress(ValueError):
        return date.fromisoformat(text)
    raise ArgumentTypeError(f"{text!r} is no day: write it as 2013-10-07")


def _shift(text: str) -> int:
    with suppress(ValueError):
        number = int(text)
        if 0 <= number <= LARGEST_SHIFT:
            return number
    raise ArgumentTypeError(f"{text!r} is no shift: a whole number from 0 to {LARGEST_SHIFT}")
