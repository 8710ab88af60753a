"""Changes watchlists for their owner. Each change is one transaction under the lock of what it
counts: the owner for the lists, the list for its instruments.

A refusal changes nothing. Who may ask is decided by whoever calls: marketdata/selectors/watchlists.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from core.api import not_found
from core.domain.errors import CODE_NOT_FOUND, CODE_UNPROCESSABLE, ErrorReason, Refusal
from marketdata.domain.watching import (
    LONGEST_NAME,
    MOST_INSTRUMENTS,
    MOST_WATCHLISTS,
    WatchReason,
    clean_name,
    free_name,
    moved,
)
from marketdata.models import Instrument, Watchlist, WatchlistItem
from marketdata.selectors.watchlists import instruments_of


@transaction.atomic
def create_watchlist(
    *, owner: User, name: str, instruments: Sequence[Instrument], now: datetime
) -> Watchlist:
    """A new list behind the owner's others, private, with each instrument once.

    Refuses a name that is taken or cannot be read, one list too many, one instrument too many.
    """
    taken = _names(owner)
    wanted = _readable(name)
    if wanted in taken:
        raise _name_taken(wanted)
    return _create(owner, wanted, instruments, now)


@transaction.atomic
def copy_watchlist(*, watchlist: Watchlist, owner: User, now: datetime) -> Watchlist:
    """A private copy for `owner`, under the same name or one with a number behind it."""
    name = free_name(watchlist.name, _names(owner))
    return _create(owner, name, instruments_of(watchlist), now)


@transaction.atomic
def rename_watchlist(*, watchlist: Watchlist, name: str, now: datetime) -> Watchlist:
    """Refuses a name that another list of the owner has. Its address stays."""
    taken = _names(watchlist.owner) - {watchlist.name}
    wanted = _readable(name)
    if wanted in taken:
        raise _name_taken(wanted)
    return _save(_locked(watchlist), now, name=wanted)


@transaction.atomic
def share_watchlist(*, watchlist: Watchlist, is_shared: bool, now: datetime) -> Watchlist:
    """Whether those on the owner's desk may read the list by its address."""
    return _save(_locked(watchlist), now, is_shared=is_shared)


@transaction.atomic
def move_watchlist(*, watchlist: Watchlist, to: int) -> None:
    """Puts the list at the place `to` among its owner's, counted from 0."""
    _lock_owner(watchlist.owner)
    lists = list(
        Watchlist.objects.filter(owner=watchlist.owner).order_by("position", "created_at", "pk")
    )
    _number(moved(lists, watchlist, to))


def delete_watchlist(*, watchlist: Watchlist) -> None:
    """For good. Who had its address finds nothing there."""
    watchlist.delete()


@transaction.atomic
def add_instrument(
    *, watchlist: Watchlist, instrument: Instrument, now: datetime, to: int = MOST_INSTRUMENTS
) -> Watchlist:
    """Puts the instrument at the place `to`, counted from 0, or at the end; one that is there
    already stays where it is.
    """
    locked = _locked(watchlist)
    items = list(WatchlistItem.objects.filter(watchlist=locked).order_by("position", "pk"))
    if any(item.instrument_id == instrument.pk for item in items):
        return locked
    if len(items) >= MOST_INSTRUMENTS:
        raise _full()
    last = items[-1].position + 1 if items else 0
    made = WatchlistItem.objects.create(watchlist=locked, instrument=instrument, position=last)
    if to < len(items):
        _number(moved([*items, made], made, to))
    return _save(locked, now)


@transaction.atomic
def remove_instrument(*, watchlist: Watchlist, instrument: Instrument, now: datetime) -> Watchlist:
    """Refuses an instrument that is not in the list."""
    locked = _locked(watchlist)
    gone, _ = WatchlistItem.objects.filter(watchlist=locked, instrument=instrument).delete()
    if not gone:
        raise _missing(instrument)
    return _save(locked, now)


@transaction.atomic
def move_instrument(
    *, watchlist: Watchlist, instrument: Instrument, to: int, now: datetime
) -> Watchlist:
    """Puts the instrument at the place `to`, counted from 0. Refuses one that is not in it."""
    locked = _locked(watchlist)
    items = list(WatchlistItem.objects.filter(watchlist=locked).order_by("position", "pk"))
    wanted = next((item for item in items if item.instrument_id == instrument.pk), None)
    if wanted is None:
        raise _missing(instrument)
    _number(moved(items, wanted, to))
    return _save(locked, now)


@transaction.atomic
def set_instruments(
    *, watchlist: Watchlist, instruments: Sequence[Instrument], now: datetime
) -> Watchlist:
    """The list has these instruments in this order, each once, and no others."""
    locked = _locked(watchlist)
    WatchlistItem.objects.filter(watchlist=locked).delete()
    _fill(locked, instruments)
    return _save(locked, now)


def _create(owner: User, name: str, instruments: Sequence[Instrument], now: datetime) -> Watchlist:
    lists = Watchlist.objects.filter(owner=owner)
    if lists.count() >= MOST_WATCHLISTS:
        raise Refusal(
            status=422,
            code=CODE_UNPROCESSABLE,
            reason=WatchReason.WATCHLIST_LIMIT,
            message=f"You have {MOST_WATCHLISTS} watchlists, the most there may be. Delete one"
            " first.",
            facts={"limit": MOST_WATCHLISTS},
        )
    last = lists.aggregate(last=Max("position"))["last"]
    made = Watchlist.objects.create(
        owner=owner,
        name=name,
        position=0 if last is None else last + 1,
        created_at=now,
        updated_at=now,
    )
    _fill(made, instruments)
    return made


def _fill(watchlist: Watchlist, instruments: Sequence[Instrument]) -> None:
    once = list({instrument.pk: instrument for instrument in instruments}.values())
    if len(once) > MOST_INSTRUMENTS:
        raise _full()
    WatchlistItem.objects.bulk_create(
        WatchlistItem(watchlist=watchlist, instrument=instrument, position=place)
        for place, instrument in enumerate(once)
    )


def _number(rows: Sequence[Watchlist | WatchlistItem]) -> None:
    """Positions from 0 on, in the order of `rows`; rows that have theirs are not written."""
    for place, row in enumerate(rows):
        if row.position != place:
            row.position = place
            row.save(update_fields=["position"])


def _names(owner: User) -> set[str]:
    """The names of the owner's lists, which nobody adds to until the transaction is over."""
    _lock_owner(owner)
    return set(Watchlist.objects.filter(owner=owner).order_by("pk").values_list("name", flat=True))


def _lock_owner(owner: User) -> None:
    User.objects.select_for_update(no_key=True).only("pk").get(pk=owner.pk)


def _locked(watchlist: Watchlist) -> Watchlist:
    """The list as it stands, locked; one that was deleted meanwhile is not there."""
    row = (
        Watchlist.objects.select_for_update(no_key=True, of=("self",))
        .select_related("owner")
        .filter(pk=watchlist.pk)
        .first()
    )
    if row is None:
        raise not_found()
    return row


def _save(watchlist: Watchlist, now: datetime, **changes: object) -> Watchlist:
    watchlist.updated_at = now
    for name, value in changes.items():
        setattr(watchlist, name, value)
    watchlist.save(update_fields=["updated_at", *changes])
    return watchlist


def _readable(name: str) -> str:
    wanted = clean_name(name)
    if wanted is None:
        raise Refusal(
            status=422,
            code=CODE_UNPROCESSABLE,
            reason=ErrorReason.FIELD_INVALID,
            message=f"Name the watchlist in 1 to {LONGEST_NAME} letters.",
            facts={"field": "name"},
        )
    return wanted


def _name_taken(name: str) -> Refusal:
    return Refusal(
        status=422,
        code=CODE_UNPROCESSABLE,
        reason=WatchReason.WATCHLIST_NAME_TAKEN,
        message=f"You have a watchlist named {name} already. Choose another name.",
        facts={"field": "name", "name": name},
    )


def _full() -> Refusal:
    return Refusal(
        status=422,
        code=CODE_UNPROCESSABLE,
        reason=WatchReason.WATCHLIST_FULL,
        message=f"A watchlist holds at most {MOST_INSTRUMENTS} instruments. Remove one, or make"
        " another list.",
        facts={"limit": MOST_INSTRUMENTS},
    )


def _missing(instrument: Instrument) -> Refusal:
    return Refusal(
        status=404,
        code=CODE_NOT_FOUND,
        reason=WatchReason.WATCHLIST_ITEM_MISSING,
        message=f"{instrument.symbol} is not in this watchlist.",
        facts={"symbol": instrument.symbol},
    )
