"""The refusal of a market order whose instrument's feed has fallen silent: docs/risk.md M17.

Said by the engine (orders/engine/conditions.py) and, while it is away, by the ticket's preview.
"""

from core.domain.clock import wire_time
from orders.domain.matching.street import STREET_TTL_NS
from risk.domain.reasons import Denial, DenialReason


def denial_of_silence(symbol: str, ends_ns: int) -> Denial:
    """`ends_ns` is the last instant at which the newest quote counted; -1: there was none."""
    if ends_ns < 0:
        return Denial(DenialReason.REFERENCE_MISSING, {"symbol": symbol})
    since = wire_time(ends_ns - STREET_TTL_NS)
    return Denial(DenialReason.REFERENCE_STALE, {"symbol": symbol, "since": since})
