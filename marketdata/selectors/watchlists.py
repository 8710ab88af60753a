"""Whose watchlists somebody may read: their own, and the shared ones of those on their desk.

Who is on one desk is portfolio's to say, which marketdata may not import: settings.DESK_MATES names
the function that knows.
"""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils.module_loading import import_string

from accounts.models import User
from marketdata.models import Instrument, Watchlist, WatchlistItem
from marketdata.selectors.instruments import compressed, tradable_instruments


def watchlists_of(user: User) -> QuerySet[Watchlist]:
    """The user's own lists in their order, each with `size`, the number of its instruments."""
    return (
        Watchlist.objects.filter(owner=user)
        .annotate(size=Count("items"))
        .order_by("position", "created_at", "pk")
    )


def own_watchlist(user: User, watchlist_id: UUID) -> Watchlist | None:
    """The list, if it is the user's own."""
    return Watchlist.objects.filter(owner=user, pk=watchlist_id).first()


def own_watchlist_named(user: User, name: str) -> Watchlist | None:
    return Watchlist.objects.filter(owner=user, name=name).first()


def watchlist_visible_to(user: User, watchlist_id: UUID) -> Watchlist | None:
    """The list, if it is the user's own, or is shared and its owner's desk is also theirs."""
    found = Watchlist.objects.select_related("owner").filter(pk=watchlist_id).first()
    if found is None or found.owner_id == user.pk:
        return found
    return found if found.is_shared and share_a_desk(user.pk, found.owner_id) else None


def instruments_of(watchlist: Watchlist) -> list[Instrument]:
    """The list's instruments in its order."""
    items = (
        WatchlistItem.objects.filter(watchlist=watchlist)
        .select_related(
            "instrument__venue", "instrument__base_currency", "instrument__quote_currency"
        )
        .order_by("position", "pk")
    )
    return [item.instrument for item in items]


def instruments_by_name(names: Sequence[str]) -> dict[str, Instrument | None]:
    """What each of `names` names, in that order and in one statement; pairs also without their
    slash; None for what nothing is called.
    """
    wanted = Q(symbol__in=names) | Q(asset_class=Instrument.AssetClass.CRYPTO)
    by_name: dict[str, Instrument] = {}
    for instrument in tradable_instruments().filter(wanted):
        by_name[instrument.symbol] = instrument
        by_name.setdefault(compressed(instrument.symbol), instrument)
    return {name: by_name.get(name) for name in names}


def share_a_desk(user_id: int, other_id: int) -> bool:
    """Whether the two trade on one desk, as settings.DESK_MATES has it."""
    return bool(import_string(settings.DESK_MATES)(user_id, other_id))


def dialect_account_id(user: User) -> UUID | None:
    """The public id of the account that stock clients see the user's watchlists under, as
    settings.DIALECT_ACCOUNT has it; None for somebody without an account.
    """
    account_id: UUID | None = import_string(settings.DIALECT_ACCOUNT)(user)
    return account_id
