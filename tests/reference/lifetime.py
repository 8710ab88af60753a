"""When an order ends by itself: the rules K1 and K2 of docs/market-states.md, said once more."""

from orders.domain import commands
from tests.reference.state import ReferenceState, Refused, Terms

DAY_NS = 86_400 * 10**9
MINUTE_NS = 60 * 10**9


def check_end(state: ReferenceState, command: commands.SubmitOrder, terms: Terms) -> None:
    """The sessions are known, and a GTD order, and no other, names an end ahead."""
    now_ns = state.now_ns
    if terms.calendar is not None and not state.hours.ahead(terms.calendar, now_ns):
        raise Refused("CALENDAR_UNKNOWN")
    if command.time_in_force.value in ("OPG", "CLS"):
        if terms.calendar is None:
            raise Refused("AUCTION_NOT_HELD")
        opens_ns, closes_ns = state.hours.ahead(terms.calendar, now_ns)[0]
        is_opening = command.time_in_force.value == "OPG"
        if now_ns >= (opens_ns - 2 * MINUTE_NS if is_opening else closes_ns - 10 * MINUTE_NS):
            raise Refused("AUCTION_TOO_LATE")
    is_gtd = command.time_in_force.value == "GTD"
    if not is_gtd and command.expires_ns is not None:
        raise Refused("EXPIRY_NOT_ALLOWED")
    if is_gtd and command.expires_ns is None:
        raise Refused("EXPIRY_REQUIRED")
    if is_gtd and command.expires_ns is not None:
        end = command.expires_ns // 1000 * 1000
        if end <= now_ns or end > now_ns + 400 * DAY_NS:
            raise Refused("EXPIRY_OUT_OF_RANGE")


def end_of(state: ReferenceState, command: commands.SubmitOrder, terms: Terms) -> int | None:
    """K2: the end of the session for DAY, the time named for GTD, none for others."""
    if command.time_in_force.value == "GTD" and command.expires_ns is not None:
        return command.expires_ns // 1000 * 1000
    if command.time_in_force.value not in ("DAY", "OPG", "CLS"):
        return None
    if terms.calendar is None:
        return (state.now_ns // DAY_NS + 1) * DAY_NS
    _, closes_ns = state.hours.ahead(terms.calendar, state.now_ns)[0]
    return closes_ns + MINUTE_NS if command.time_in_force.value == "CLS" else closes_ns
