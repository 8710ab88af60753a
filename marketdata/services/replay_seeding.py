"""Makes what a replay of a folder needs: its venue, its instruments, a feed and their routes."""

from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from marketdata.models import Currency, Feed, FeedRoute, Instrument, Venue

REPLAY_FEED = "replay"
REPLAY_VENUE = "REPLAY"
EQUITIES = "equity/usa"


class _Found(NamedTuple):
    symbol: str
    name_there: str


@transaction.atomic
def seed_replay(*, folder: str) -> int:
    """Make the feed `replay` of the US equities that `folder` (LEAN's layout) has days of, with
    every instrument that is missing; returns how many were made. A feed of that name which replays
    another folder replays this one from now on: `folder` and what follows from it change, the
    operator's other options stay. One of this folder stays as it is.

    ValidationError when there is nothing to replay in the folder, or the name is another adapter's.
    The venue is open always: what happened within some hours there may be told at any hour here.
    """
    feed = Feed.objects.filter(name=REPLAY_FEED).first()
    if feed is not None and feed.adapter != REPLAY_FEED:
        raise ValidationError(
            f"The feed named {REPLAY_FEED} has the adapter {feed.adapter}, so the replay folder"
            " has no feed: start with another market, such as --market configured."
        )
    if feed is not None and feed.options.get("folder") == folder:
        return 0
    resolution, found = _equities_in(Path(folder))
    if not found:
        raise ValidationError(
            f"There are no recorded days of US equities in {folder}: it should be the full path of"
            f" a folder that holds {EQUITIES}/tick or {EQUITIES}/minute (PORTAL_REPLAY_FOLDER)."
        )
    told = {"folder": folder, "market": EQUITIES, "resolution": resolution}
    if feed is None:
        options = told | {"loop": True}
        feed = Feed.objects.create(name=REPLAY_FEED, adapter=REPLAY_FEED, options=options)
    else:
        feed.options |= told
        feed.save(update_fields=["options"])
        symbols = [symbol for symbol, _ in found]
        feed.routes.exclude(instrument__symbol__in=symbols).delete()
    return sum(_follow(feed, one) for one in found)


def _follow(feed: Feed, found: _Found) -> bool:
    """Let the instrument follow the feed, if it does not yet; whether it had to be made."""
    instrument, is_new = Instrument.objects.get_or_create(
        symbol=found.symbol,
        defaults={
            "name": f"{found.symbol} (recorded)",
            "venue": _venue(),
            "asset_class": Instrument.AssetClass.US_EQUITY,
            "quote_currency": _dollar(),
            "tick_size": Decimal("0.01"),
            "lot_size": Decimal(1),
        },
    )
    ranks = FeedRoute.objects.filter(instrument=instrument).aggregate(last=Max("rank"))
    FeedRoute.objects.get_or_create(
        instrument=instrument,
        feed=feed,
        defaults={"rank": (ranks["last"] or 0) + 1, "symbol_there": found.name_there},
    )
    return is_new


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
