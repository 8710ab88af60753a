"""What the market routes read: states, bands and plans out of JSON, field by field.

Serves orders/native/markets.py; a Refusal (422) names the first field that cannot be taken.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from marketdata.domain.market_states import STORED_STATES, MarketState
from orders.domain.order_request import field_refusal, read_moment

MAX_REASON_LENGTH: Final = 500
MAX_BPS: Final = 9_999
MAX_SECONDS: Final = 86_400
STATES: Final = [state.value.lower() for state in STORED_STATES]
PLANNED_STATES: Final = [state for state in STATES if state != "open"]
PAUSE_STATES: Final = ["auction", "halted"]
NUMBERS: Final = {
    "market_band_bps": (1, MAX_BPS),
    "volatility_bps": (0, MAX_BPS),
    "window_seconds": (1, MAX_SECONDS),
    "pause_seconds": (1, MAX_SECONDS),
}
"""The numbers of a band, with the least and the most of each."""
PLAN_FIELDS: Final = frozenset({"symbol", "state", "from_at", "until_at", "reason"})
STATE_FIELDS: Final = frozenset({"symbol", "state", "reason"})
BAND_FIELDS: Final = frozenset({"symbol", "reason", "pause_state", *NUMBERS})


class WantedPlan(NamedTuple):
    """A state from one time until another (None: without an end)."""

    state: MarketState
    from_at: datetime
    until_at: datetime | None


def read_plan(body: Mapping[str, object]) -> WantedPlan:
    state = _choice(body, "state", PLANNED_STATES)
    begins, ends = read_moment(body, "from_at"), read_moment(body, "until_at")
    if begins is None:
        raise field_refusal("from_at", "is required.")
    if ends is not None and ends <= begins:
        raise field_refusal("until_at", "must come after from_at.")
    return WantedPlan(MarketState(state.upper()), begins, ends)


def read_state(body: Mapping[str, object]) -> MarketState:
    return MarketState(_choice(body, "state", STATES).upper())


def read_bands(body: Mapping[str, object]) -> dict[str, int | str]:
    """What is to change of a band, by its names; at least one thing."""
    bands: dict[str, int | str] = {}
    for name, (least, most) in NUMBERS.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise field_refusal(name, f"must be a whole number from {least} to {most}.")
        bands[name] = value
    if body.get("pause_state") is not None:
        bands["pause_state"] = _choice(body, "pause_state", PAUSE_STATES).upper()
    if not bands:
        raise field_refusal("volatility_bps", "or another field of the band is required.")
    return bands


def read_text(body: Mapping[str, object], name: str) -> str:
    """A printable text that is there and says something."""
    value = body.get(name)
    text = value.strip() if isinstance(value, str) and value.isprintable() else ""
    if not 0 < len(text) <= MAX_REASON_LENGTH:
        raise field_refusal(name, f"must be a text of 1 to {MAX_REASON_LENGTH} characters.")
    return text


def _choice(body: Mapping[str, object], name: str, choices: list[str]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or value not in choices:
        raise field_refusal(name, f"must be one of: {', '.join(choices)}.")
    return value
