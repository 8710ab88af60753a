"""Query parameters read strictly: one meaning, or a refusal that names the parameter."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime

from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime

from core.api import not_found, read_query, refuse_unknown_fields
from core.domain.errors import CODE_MALFORMED, ErrorReason, Refusal
from marketdata.domain.factors import Adjustment
from marketdata.domain.timeframes import Timeframe, parse_timeframe
from marketdata.models import Instrument
from marketdata.selectors import instrument_by_symbol, instruments_named

SYMBOL_LIMIT = 200
PAGE_LIMIT = 10_000
MAX_LIMIT_DIGITS = 12
"""Enough to tell every number that matters; what follows makes it only larger."""
DEFAULT_PAGE_LIMIT = 1_000
MAX_SYMBOL_LENGTH = 32

FEED_NAMES = ("iex", "sip", "delayed_sip", "otc", "boats", "overnight")
"""The dialect's names of stock feeds. All of them name the one market that is here."""
ADJUSTMENTS = tuple(one.value for one in Adjustment)
NO_MAPPING = "-"
"""What the dialect takes for `asof` when symbols are not to be followed through renamings."""


def invalid(name: str, message: str, reason: ErrorReason = ErrorReason.FIELD_INVALID) -> Refusal:
    return Refusal(
        status=400,
        code=CODE_MALFORMED,
        reason=reason,
        message=f"invalid {name}: {message}",
        facts={"parameter": name},
    )


class Query:
    """The parameters of one request. Unknown or repeated ones are refused: a typo would otherwise
    be answered with the wrong data.
    """

    def __init__(self, parameters: QueryDict, allowed: Collection[str]) -> None:
        self._values = read_query(parameters)
        refuse_unknown_fields(self._values, allowed)

    def text(self, name: str) -> str | None:
        return self._values.get(name) or None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise invalid(name, "it is required", ErrorReason.FIELD_MISSING)
        return value

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        value = self.text(name) or default
        if value not in choices:
            raise invalid(name, f"use one of {', '.join(sorted(choices))}")
        return value

    def limit(self) -> int:
        """Items of one page. More than a page holds is a page: stock clients ask for more, and
        `next_page_token` says that there is.
        """
        text = self.text("limit")
        if text is None:
            return DEFAULT_PAGE_LIMIT
        if not text.isascii() or not text.isdigit() or not text.strip("0"):
            raise invalid("limit", "it must be a whole number from 1")
        return min(int(text.lstrip("0")[:MAX_LIMIT_DIGITS]), PAGE_LIMIT)

    def moment(self, name: str) -> datetime | None:
        """An RFC 3339 time or a date; without an offset it is UTC."""
        text = self.text(name)
        if text is None:
            return None
        try:
            moment = parse_datetime(text.replace(" ", "+"))
            day = None if moment else parse_date(text)
        except ValueError:
            moment = day = None
        if moment is None and day is not None:
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if moment is None:
            raise invalid(name, "use a time such as 2026-01-31T15:30:00Z or a date")
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError as error:
            raise invalid(name, "it is out of range") from error

    def day(self, name: str) -> date | None:
        moment = self.moment(name)
        return moment.date() if moment else None

    def timeframe(self) -> Timeframe:
        timeframe = parse_timeframe(self.required("timeframe"))
        if timeframe is None:
            raise invalid(
                "timeframe", "use one such as 1Sec, 1Min, 5Min, 1Hour, 1Day, 1Week or 1Month"
            )
        return timeframe

    def instruments(self, asset_class: Instrument.AssetClass) -> list[Instrument]:
        """The instruments that `symbols` names, by symbol; names that nothing has are left out."""
        names = [name for name in self.required("symbols").split(",") if name]
        if not names:
            raise invalid("symbols", "name at least one")
        if len(names) > SYMBOL_LIMIT:
            raise invalid("symbols", f"name at most {SYMBOL_LIMIT}")
        return instruments_named(names, asset_class)

    def market(self, instruments: Sequence[Instrument]) -> None:
        """Check `feed`, `asof` and `currency`: they choose nothing here, but must not ask for what
        there is not.
        """
        feed = self.text("feed")
        if feed is not None and feed.lower() not in FEED_NAMES:
            raise invalid("feed", f"use one of {', '.join(FEED_NAMES)}")
        if self.text("asof") not in {None, NO_MAPPING}:
            self.moment("asof")
        currency = self.text("currency")
        others = {one.quote_currency_id for one in instruments} - {currency}
        if currency is not None and others:
            raise invalid("currency", f"prices are in {', '.join(sorted(others))}")


def instrument_named(symbol: str, asset_class: Instrument.AssetClass) -> Instrument:
    """The instrument of a class that an address names; a Refusal (404) when there is none."""
    found = instrument_by_symbol(symbol) if len(symbol) <= MAX_SYMBOL_LENGTH else None
    if found is None or found.asset_class != asset_class:
        raise not_found(f"asset not found for {symbol[:MAX_SYMBOL_LENGTH]}")
    return found
