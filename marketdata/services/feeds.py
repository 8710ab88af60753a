"""Configures feeds: their adapters, options and keys, and which instruments follow them.

Every change leaves an audit entry, without the key. The feed process reads the configuration when
it starts: a change takes effect with `./portal restart feed`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction

from core import encryption
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.services.audit import record
from marketdata.domain.feed_options import addresses_of
from marketdata.domain.plan import Credentials, FeedOptionError
from marketdata.feeds import FEEDS
from marketdata.feeds.checking import WITH_KEYS, check_options
from marketdata.models import Feed, FeedRoute, Instrument
from marketdata.selectors.feed_setup import KEY_FIELD, KEY_LABEL

KEY_WENT = "Its key was removed, because its address has changed; set the key anew."
TAKES_EFFECT = "It takes effect with ./portal restart feed."
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
MAX_OPTIONS_BYTES = 8_192
"""Of all options as JSON: addresses and a few numbers."""
MAX_KEY_LENGTH = 512
MAX_RANK = 100
MAX_NAME_THERE = 64


@dataclass(frozen=True, slots=True)
class Act:
    """Who changes something, why and from where. `actor` None is the command line."""

    actor: AbstractBaseUser | None
    reason: str
    origin: Origin


class RouteSet(NamedTuple):
    """A route as it is now; `moved`: the feeds that made room for it, and their new ranks."""

    route: FeedRoute
    moved: Mapping[str, int]


def add_feed(*, name: str, adapter: str, options: Mapping[str, Any], act: Act) -> Feed:
    """A new enabled feed without a key and without instruments. ValidationError says what is wrong.
    Any: JSON of an operator.
    """
    if not NAME.fullmatch(name):
        raise ValidationError(
            "A feed's name is 1 to 32 small letters, digits and hyphens, such as alpaca-live."
        )
    checked = _checked(adapter, options)
    with transaction.atomic():
        feed, is_new = Feed.objects.get_or_create(
            name=name, defaults={"adapter": adapter, "options": checked}
        )
        if not is_new:
            raise ValidationError(f"There is a feed named {name} already; choose another name.")
        _note("FeedAdded", feed, act, {"adapter": adapter, "options": checked})
    return feed


def change_options(*, feed: Feed, options: Mapping[str, Any], act: Act) -> bool:
    """Put `options` in the place of the feed's options; those left out get their defaults.

    The key goes when the feed has another address from now on, and the answer is True: who may
    change addresses may not read keys, and would learn one from whoever it is sent to.
    """
    checked = _checked(feed.adapter, options)
    with transaction.atomic():
        locked = _locked(feed)
        before, locked.options = locked.options, checked
        is_elsewhere = addresses_of(before) != addresses_of(checked)
        loses_key = is_elsewhere and locked.credentials is not None
        if loses_key:
            locked.credentials = None
        locked.save(update_fields=["options", "credentials"])
        _note("FeedOptionsChanged", feed, act, {"before": before, "options": checked})
        if loses_key:
            _note("FeedKeyRemoved", feed, act, {"because": "its address has changed"})
    return loses_key


def set_enabled(*, feed: Feed, is_enabled: bool, act: Act) -> bool:
    """Whether the feed process runs it. False when it was so already."""
    with transaction.atomic():
        locked = _locked(feed)
        if locked.is_enabled == is_enabled:
            return False
        locked.is_enabled = is_enabled
        locked.save(update_fields=["is_enabled"])
        _note("FeedEnabled" if is_enabled else "FeedDisabled", feed, act, {})
    return True


def set_key(*, feed: Feed, credentials: Credentials | None, act: Act) -> None:
    """Store the key encrypted, bound to the feed's row; None removes it. The audit trail learns
    that it was set. EncryptionError when there is no keyset.
    """
    stored = None
    if credentials is not None:
        if feed.adapter not in WITH_KEYS:
            raise ValidationError(f"The adapter {feed.adapter} uses no key.")
        if not all(_is_key(part) for part in credentials):
            raise ValidationError(
                f"Key and secret must be 1 to {MAX_KEY_LENGTH} visible ASCII characters each."
            )
        stored = encryption.encrypt(
            msgspec.json.encode(tuple(credentials)),
            bound_to=encryption.column(KEY_LABEL, KEY_FIELD, feed.pk),
        )
    with transaction.atomic():
        locked = _locked(feed)
        locked.credentials = stored
        locked.save(update_fields=["credentials"])
        _note("FeedKeyRemoved" if stored is None else "FeedKeySet", feed, act, {})


def set_route(*, feed: Feed, symbol: str, rank: int, symbol_there: str, act: Act) -> RouteSet:
    """Let an instrument take its prices from the feed, as its `rank`-th choice (1 is the first).
    A route that there is gets the new rank and name; another feed's at that rank moves down by one,
    and so do those that stand behind it without a gap.
    """
    if not 1 <= rank <= MAX_RANK:
        raise ValidationError(f"The rank must be 1 to {MAX_RANK}; 1 is followed first.")
    if not symbol_there.isprintable() or len(symbol_there) > MAX_NAME_THERE:
        raise ValidationError(f"The name there has at most {MAX_NAME_THERE} visible characters.")
    with transaction.atomic():
        _locked(feed)
        instrument = _locked_instrument(symbol)
        own = FeedRoute.objects.filter(instrument=instrument, feed=feed).first()
        if own is None or own.rank != rank:
            FeedRoute.objects.filter(instrument=instrument, feed=feed).delete()
            moved = _moved_down(instrument, rank)
        else:
            moved = {}
        route, _ = FeedRoute.objects.update_or_create(
            instrument=instrument,
            feed=feed,
            defaults={"rank": rank, "symbol_there": symbol_there},
        )
        facts = {"instrument": symbol, "rank": rank, "symbol_there": symbol_there, "moved": moved}
        _note("FeedRouteSet", feed, act, facts)
    return RouteSet(route, moved)


def _moved_down(instrument: Instrument, rank: int) -> dict[str, int]:
    """Make `rank` free; the feeds that were moved for it and their new ranks."""
    behind = FeedRoute.objects.filter(instrument=instrument, rank__gte=rank)
    in_the_way: list[FeedRoute] = []
    for route in behind.select_related("feed").order_by("rank", "pk"):
        if route.rank != rank + len(in_the_way):
            break
        in_the_way.append(route)
    if rank + len(in_the_way) > MAX_RANK:
        raise ValidationError(
            f"{instrument.symbol} has feeds down to rank {MAX_RANK}: take one away with `feed"
            " unroute` first."
        )
    for route in reversed(in_the_way):  # from below: no two have one rank at any moment
        route.rank += 1
        route.save(update_fields=["rank"])
    return {route.feed.name: route.rank for route in in_the_way}


def remove_route(*, feed: Feed, symbol: str, act: Act) -> bool:
    """Let the instrument no longer follow the feed. False when it did not."""
    with transaction.atomic():
        _locked(feed)
        removed, _ = FeedRoute.objects.filter(feed=feed, instrument__symbol=symbol).delete()
        if removed:
            _note("FeedRouteRemoved", feed, act, {"instrument": symbol})
    return bool(removed)


def retire_feed(*, feed: Feed, act: Act) -> None:
    """Take the feed out of use: no key, no instruments, not run. Its row stays, because stored
    prices name it.
    """
    with transaction.atomic():
        locked = _locked(feed)
        symbols = sorted(locked.routes.values_list("instrument__symbol", flat=True))
        locked.routes.all().delete()
        locked.is_enabled, locked.credentials = False, None
        locked.save(update_fields=["is_enabled", "credentials"])
        _note("FeedRetired", feed, act, {"instruments": symbols})


def _locked_instrument(symbol: str) -> Instrument:
    """The instrument, so that its ranks change one after the other."""
    instrument = Instrument.objects.select_for_update(no_key=True).filter(symbol=symbol).first()
    if instrument is None:
        raise ValidationError(f"There is no instrument {symbol}.")
    return instrument


def _locked(feed: Feed) -> Feed:
    return Feed.objects.select_for_update(no_key=True).get(pk=feed.pk)


def _checked(adapter: str, options: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON
    if adapter not in FEEDS:
        raise ValidationError(
            f"There is no adapter {adapter}; choose one of {', '.join(sorted(FEEDS))}."
        )
    if len(json.dumps(options).encode()) > MAX_OPTIONS_BYTES:
        raise ValidationError(f"The options must have at most {MAX_OPTIONS_BYTES} bytes.")
    try:
        check_options(adapter, options, SystemClock())
    except FeedOptionError as error:
        raise ValidationError(str(error)) from error
    return dict(options)


def _is_key(text: str) -> bool:
    return 0 < len(text) <= MAX_KEY_LENGTH and text.isascii() and text.isprintable()


def _note(action: str, feed: Feed, act: Act, facts: Mapping[str, object]) -> None:
    record(
        actor=act.actor,
        action=action,
        target=f"feed {feed.name}",
        origin=act.origin,
        reason=act.reason,
        facts=facts,
    )
