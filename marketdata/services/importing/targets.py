"""What an import fills: an instrument that is there or is made, and the feed that it names as the
source of its rows.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from core.cache import forget_everywhere
from marketdata.cache import INSTRUMENTS
from marketdata.models import Currency, Feed, Instrument, Venue

IMPORT_ADAPTER: Final = "import"
SYMBOL_LENGTH: Final = 32
NAME_LENGTH: Final = 32


class TargetError(ValueError):
    """There is nothing to import into; the message says what to name instead."""


@dataclass(frozen=True, slots=True)
class NewInstrument:
    """How to make the instrument when it is not there, its venue and currencies too."""

    asset_class: str
    venue: str
    calendar: str
    time_zone: str
    name: str = ""
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal(1)
    quote_currency: str = "USD"
    base_currency: str | None = None


def import_feed(name: str) -> Feed:
    """The feed named `name`, made when it is not there. One that runs may be named too: what is
    imported then fills its holes.
    """
    if not 0 < len(name) <= NAME_LENGTH:
        raise TargetError(f"name the source with 1 to {NAME_LENGTH} characters: --feed NAME")
    feed, _ = Feed.objects.get_or_create(
        name=name, defaults={"adapter": IMPORT_ADAPTER, "is_enabled": False}
    )
    return feed


@transaction.atomic
def target_instrument(symbol: str, new: NewInstrument | None) -> Instrument:
    """The instrument `symbol`; made by `new` when it is not there and that is given."""
    found = Instrument.objects.select_related("venue").filter(symbol=symbol).first()
    if found is not None:
        return found
    if new is None:
        raise TargetError(f"there is no instrument {symbol}; name another or add --create")
    if not 0 < len(symbol) <= SYMBOL_LENGTH:
        raise TargetError(f"a symbol has 1 to {SYMBOL_LENGTH} characters")
    for code in filter(None, (new.quote_currency, new.base_currency)):
        Currency.objects.get_or_create(code=code, defaults={"name": code})
    forget_everywhere(INSTRUMENTS)
    return Instrument.objects.create(
        symbol=symbol,
        name=new.name or symbol,
        venue=_venue(new),
        asset_class=new.asset_class,
        base_currency_id=new.base_currency,
        quote_currency_id=new.quote_currency,
        tick_size=new.tick_size,
        lot_size=new.lot_size,
    )


def _venue(new: NewInstrument) -> Venue:
    try:
        ZoneInfo(new.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise TargetError(f"there is no time zone {new.time_zone}; name one such as UTC") from error
    venue, _ = Venue.objects.get_or_create(
        code=new.venue,
        defaults={
            "name": new.venue,
            "kind": Venue.Kind.SIMULATED,
            "time_zone": new.time_zone,
            "calendar": new.calendar,
        },
    )
    return venue
