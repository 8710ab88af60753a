"""Pages of the past: where one ended, what is left of a query after it, and how one is filled.

Pages run through the symbols in order and through each symbol in time. Items of one instant are
told apart by their number, so that no page boundary loses or repeats one.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from marketdata.api.params import invalid
from marketdata.domain.dialect import Fields
from marketdata.models import Instrument

LARGEST_NUMBER = 2**63 - 1
MAX_TOKEN_LENGTH = 256
"""A symbol, a time and a number fit in; more is no token of ours."""


class Cursor(NamedTuple):
    """Where a page ended: the symbol, the time and the number of its last item (bars have 0)."""

    symbol: str
    at: datetime
    number: int


class Row(NamedTuple):
    """An item of a page and its place in the order."""

    at: datetime
    number: int
    fields: Fields


class Span(NamedTuple):
    """Which items: from `start` to `end`, both included, beyond `after` in the order."""

    start: datetime
    end: datetime
    newest_first: bool
    after: tuple[datetime, int] | None = None

    def beyond(self, cursor: Cursor) -> "Span":
        """What the page that ended at `cursor` has left; a cursor before the span leaves all."""
        key = (cursor.at, cursor.number)
        is_before = cursor.at > self.end if self.newest_first else cursor.at < self.start
        return self if is_before else self._replace(after=key)

    def holds(self, at: datetime, number: int) -> bool:
        if not self.start <= at <= self.end:
            return False
        if self.after is None:
            return True
        key = (at, number)
        return key < self.after if self.newest_first else key > self.after


Fetch = Callable[[Instrument, Span, int], Sequence[Row]]
"""At most so many items of an instrument that lie in the span, in its order."""


class Page(NamedTuple):
    """`items` by symbol, and where it ended when there is more."""

    items: dict[str, list[Fields]]
    end: Cursor | None


def fill_page(
    instruments: Sequence[Instrument], span: Span, cursor: Cursor | None, limit: int, fetch: Fetch
) -> Page:
    """The next `limit` items in all, of `instruments` by symbol, after `cursor`."""
    items: dict[str, list[Fields]] = {}
    room = limit
    end: Cursor | None = None
    for instrument in instruments:
        symbol = instrument.symbol
        if cursor is not None and symbol < cursor.symbol:
            continue
        is_rest = cursor is not None and symbol == cursor.symbol
        left = span.beyond(cursor) if cursor is not None and is_rest else span
        found = fetch(instrument, left, room + 1)
        if found and room == 0:
            return Page(items, end)
        taken = found[:room]
        if taken:
            items[symbol] = [row.fields for row in taken]
            end = Cursor(symbol, taken[-1].at, taken[-1].number)
        if len(found) > room:
            return Page(items, end)
        room -= len(taken)
    return Page(items, None)


def page_token(cursor: Cursor | None) -> str | None:
    """The cursor as clients carry it; None of none."""
    if cursor is None:
        return None
    text = f"{cursor.symbol}|{cursor.at.isoformat()}|{cursor.number}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_page_token(token: str | None) -> Cursor | None:
    """The cursor of a token; a Refusal for what is none of ours."""
    if token is None:
        return None
    try:
        if len(token) > MAX_TOKEN_LENGTH:
            raise ValueError("too long")
        text = base64.b64decode(token, altchars=b"-_", validate=True).decode()
        symbol, at, number = text.split("|")
        return Cursor(symbol, _utc(at), _number(number))
    except (binascii.Error, ValueError, OverflowError) as error:
        raise invalid("page_token", "use the next_page_token of the page before") from error


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment.astimezone(UTC)


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > len(str(LARGEST_NUMBER)):
        raise ValueError("no number")
    if int(digits) > LARGEST_NUMBER:
        raise ValueError("too large")
    return int(text)
