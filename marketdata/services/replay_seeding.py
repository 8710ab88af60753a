"""Makes what a replay of a folder needs: its venue, its instruments, a feed and their routes."""

from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from marketdata.models import Currency, Feed, FeedRoute, Instrument, Venue

REPLAY_FEED = "replay"
REPLAY_VENUE = "REPLAY"
EQUITIES = "equity/usa"
OTHER_RANK = 2
"""Beside the feed that an instrument follows already."""


class _Found(NamedTuple):
    symbol: str
    name_there: str


@transaction.atomic
def seed_replay(*, folder: str) -> int:
    """Make the feed `replay` of the US equities that `folder` (LEAN's layout) has days of, with
    every instrument that is missing; returns how many were made. A feed of that name stays as it
    is: an operator may have changed it.

    The venue is open always: what happened within some hours there may be told at any hour here.
    """
    if Feed.objects.filter(name=REPLAY_FEED).exists():
        return 0
    resolution, found = _equities_in(Path(folder))
    feed = Feed.objects.create(
        name=REPLAY_FEED,
        adapter="replay",
        options={"folder": folder, "market": EQUITIES, "resolution": resolution, "loop": True},
    )
    made = 0
    for symbol, name_there in found:
        instrument, is_new = Instrument.objects.get_or_create(
            symbol=symbol,
            defaults={
                "name": f"{symbol} (recorded)",
                "venue": _venue(),
                "asset_class": Instrument.AssetClass.US_EQUITY,
                "quote_currency": _dollar(),
                "tick_size": Decimal("0.01"),
                "lot_size": Decimal(1),
            },
        )
        made += is_new
        taken = FeedRoute.objects.filter(instrument=instrument).exists()
        FeedRoute.objects.create(
            instrument=instrument,
            feed=feed,
            rank=OTHER_RANK if taken else 1,
            symbol_there=name_there,
        )
    return made


def _equities_in(folder: Path) -> tuple[str, list[_Found]]:
    """Instruments with recorded ticks; where the folder has none, those with minutes."""
    for resolution in ("tick", "minute"):
        names = sorted(path.name for path in (folder / EQUITIES / resolution).glob("*"))
        if names:
            return resolution, [_Found(name.upper(), name) for name in names]
    return "any", []


def _venue() -> Venue:
    venue, _ = Venue.objects.get_or_create(
        code=REPLAY_VENUE,
        defaults={"name": "Recorded market", "kind": Venue.Kind.SIMULATED, "time_zone": "UTC"},
    )
    return venue


def _dollar() -> Currency:
    dollar, _ = Currency.objects.get_or_create(code="USD", defaults={"name": "US dollar"})
    return dollar
