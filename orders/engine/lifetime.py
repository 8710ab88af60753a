"""When an order ends by itself: DAY with its session, GTD at a time that whoever places it names.

Rules K2 and K3 of docs/market-states.md, decided by `now` against the sessions that are known.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from core.domain.clock import from_ns, to_ns, wire_time
from orders.domain.commands import SubmitOrder
from orders.domain.values import TimeInForce
from orders.engine.queueing import AUCTION_ONLY, check_auction_time
from orders.engine.state import CLOSING_GRACE_NS, Instrument
from risk.domain.reasons import Denial, DenialReason

MAX_GTD_DAYS: Final = 400
"""As far ahead as sessions are known."""

DAY_NS: Final = 86_400 * 10**9


def check_lifetime(command: SubmitOrder, instrument: Instrument, now_ns: int) -> Denial | None:
    """The order names an end if it is GTD, one that lies ahead, and only then; and a calendar
    that it may depend on is known so far.
    """
    calendar = instrument.calendar
    if calendar is not None and calendar.coming(now_ns) is None:
        return Denial(
            DenialReason.CALENDAR_UNKNOWN,
            {"symbol": instrument.symbol, "calendar": calendar.code},
        )
    if command.time_in_force in AUCTION_ONLY:
        denial = check_auction_time(command, instrument, now_ns)
        if denial is not None:
            return denial
    if command.time_in_force is not TimeInForce.GTD:
        return None if command.expires_ns is None else Denial(DenialReason.EXPIRY_NOT_ALLOWED, {})
    if command.expires_ns is None:
        return Denial(DenialReason.EXPIRY_REQUIRED, {})
    if not now_ns < whole_micros(command.expires_ns) <= now_ns + MAX_GTD_DAYS * DAY_NS:
        return Denial(
            DenialReason.EXPIRY_OUT_OF_RANGE,
            {"now": wire_time(now_ns), "maximum_days": str(MAX_GTD_DAYS)},
        )
    return None


def end_ns(command: SubmitOrder, instrument: Instrument, now_ns: int) -> int | None:
    """When the order ends by itself; None: not at all. Call when check_lifetime found nothing."""
    if command.time_in_force is TimeInForce.DAY:
        return _day_end_ns(instrument, now_ns)
    if command.time_in_force is TimeInForce.GTD:
        assert command.expires_ns is not None
        return whole_micros(command.expires_ns)
    if command.time_in_force in AUCTION_ONLY:
        is_closing = command.time_in_force is TimeInForce.CLS
        return _day_end_ns(instrument, now_ns) + (CLOSING_GRACE_NS if is_closing else 0)
    return None


def _day_end_ns(instrument: Instrument, now_ns: int) -> int:
    """The close of the running or else the next session; without a calendar the next UTC
    midnight.
    """
    if instrument.calendar is not None:
        session = instrument.calendar.coming(now_ns)
        assert session is not None  # checked before
        return session.closes_ns
    day = from_ns(now_ns).date() + timedelta(days=1)
    return to_ns(datetime(day.year, day.month, day.day, tzinfo=UTC))


def whole_micros(time_ns: int) -> int:
    """What the database keeps of a time."""
    return time_ns // 1000 * 1000
