"""Finds instruments by what a person types: symbols first, then words of names.

One statement a page, whatever is typed. Pages go on where the page before ended (a keyset), so an
instrument that is listed meanwhile neither repeats nor hides another.
"""

import re
from dataclasses import dataclass
from typing import Final

from django.db.models import BooleanField, Case, Func, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Replace

from marketdata.models import Instrument, Venue
from marketdata.selectors.instruments import compressed, tradable_instruments

PAGE_SIZE: Final = 25
MOST_A_PAGE: Final = 100
"""What one request may ask for: a table longer than that is not read, it is searched again."""
MOST_WORDS: Final = 8
WORD: Final = re.compile(r"[^\W_]+")
EXACT, SYMBOL, NAME = 0, 1, 2


class _NameHas(Func):
    """Whether a name has words that begin like those of a query; served by an index
    (migration 0009). The query's words are letters and digits, so they mean nothing else.
    """

    template = "(to_tsvector('simple', %(expressions)s))"
    arg_joiner = ") @@ to_tsquery('simple', "
    output_field = BooleanField()


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. Empty members look for nothing in particular; `after` is a page's
    `next`.
    """

    text: str = ""
    asset_class: str = ""
    venue: str = ""
    after: str = ""
    limit: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found, best first; `next` is where the following one begins."""

    instruments: list[Instrument]
    next: str | None


def search_instruments(search: Search) -> Found:
    """The exact symbol, then symbols that begin so, then names in which every word begins one.

    Case does not matter; a pair is found with and without its slash. Raises ValueError for an
    `after` that is no page's end.
    """
    found = _matching(search.text.strip())
    if search.asset_class:
        found = found.filter(asset_class=search.asset_class)
    if search.venue:
        found = found.filter(venue=search.venue)
    if search.after:
        rank, symbol = _position(search.after)
        found = found.filter(Q(rank__gt=rank) | Q(rank=rank, symbol__gt=symbol))
    limit = max(1, min(search.limit, MOST_A_PAGE))
    rows = list(found[: limit + 1])
    page = rows[:limit]
    return Found(page, _end_of(page[-1]) if len(rows) > limit else None)


def venues() -> list[Venue]:
    """Every venue that something trades on, by code."""
    return list(Venue.objects.filter(instrument__isnull=False).distinct().order_by("code"))


def _matching(text: str) -> QuerySet[Instrument]:
    found = tradable_instruments()
    if not text:
        ranked = found.annotate(rank=Value(NAME, output_field=IntegerField()))
        return ranked.order_by("rank", "symbol")
    joined = compressed(text)
    found = found.alias(joined=Replace("symbol", Value("/"), Value("")))
    exact, begins = Q(symbol__iexact=text), Q(symbol__istartswith=text)
    if joined:
        exact |= Q(joined__iexact=joined)
        begins |= Q(joined__istartswith=joined)
    words = WORD.findall(text)[:MOST_WORDS]
    matches = begins | Q(_NameHas("name", Value(" & ".join(f"{word}:*" for word in words))))
    ranks = Case(When(exact, then=EXACT), When(begins, then=SYMBOL), default=NAME)
    return (
        found.filter(matches if words else begins).annotate(rank=ranks).order_by("rank", "symbol")
    )


def _end_of(last: Instrument) -> str:
    rank: int = last.rank  # type: ignore[attr-defined]  # annotated by _matching
    return f"{rank}:{last.symbol}"


def _position(after: str) -> tuple[int, str]:
    rank, colon, symbol = after.partition(":")
    if not colon or rank not in {"0", "1", "2"} or not symbol:
        raise ValueError("not the end of a page")
    return int(rank), symbol
