"""Reads the times and names in the query of an address, for every route that lists something."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from orders.domain.order_request import field_refusal

FIRST_YEAR, LAST_YEAR = 1971, 2199
"""Times outside have no place in every zone, in nanoseconds, or a day further."""


def read_time(query: Mapping[str, str], name: str) -> datetime | None:
    """A time with its offset, or a day's midnight in UTC; None when it is not asked for."""
    text = query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that nobody escaped
    except ValueError as error:
        raise field_refusal(name, "must be a time such as 2026-01-31T12:00:00Z.") from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise field_refusal(name, f"must lie between {FIRST_YEAR} and {LAST_YEAR}.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_day(query: Mapping[str, str], name: str) -> datetime | None:
    """The first instant of a UTC day; None when it is not asked for."""
    text = query.get(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise field_refusal(name, "must be a day such as 2026-01-31.") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise field_refusal(name, f"must lie between {FIRST_YEAR} and {LAST_YEAR}.")
    return datetime.combine(day, time(), UTC)


def read_choice(query: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The parameter's value, the first choice when it is absent."""
    value = query.get(name) or choices[0]
    if value not in choices:
        raise field_refusal(name, f"must be one of: {', '.join(choices)}.")
    return value


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean as clients write it: alpaca-py sends `True`."""
    lowered = {name: query.get(name, "").lower()}
    return read_choice(lowered, name, ("false", "true", "0", "1")) in {"true", "1"}
