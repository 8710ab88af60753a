"""Limits in a scenario's short text: "ORDER_VALUE account:3 500" as the engine takes it."""

from decimal import Decimal

from core.domain.units import decimal_to_units
from orders.domain.replies import AnyReply, LimitReply
from risk.domain.commands import Consent, SetLimit
from risk.domain.limit_tree import LimitKind
from risk.domain.scopes import read_scope
from tests.simulation.floor import Floor, denial
from tests.simulation.switches import ODIN, OLGA


def limit_command(
    scope: str,
    kind: str,
    value: str | None,
    *,
    instrument: int = 0,
    window: int = 0,
    actor: int | None = OLGA,
    consent: Consent | None = None,
) -> SetLimit:
    """The command; `scope` by its key."""
    return SetLimit(
        scope=read_scope(scope),
        kind=LimitKind(kind),
        instrument_id=instrument,
        value=None if value is None else decimal_to_units(Decimal(value)),
        reason="a reason",
        request_id=f"limit-{scope}",
        actor_id=actor,
        consent=consent,
        window_seconds=window,
    )


def limit(
    floor: Floor,
    scope: str,
    kind: str,
    value: str | None,
    *,
    instrument: int = 0,
    window: int = 0,
) -> str:
    """One person sets a limit: "set 1", or what refused it."""
    return told(floor.do(limit_command(scope, kind, value, instrument=instrument, window=window)))


def allow(
    floor: Floor, scope: str, kind: str, value: str | None, version: int, *, by: int = ODIN
) -> str:
    """A raise that Olga asked for and `by` approves."""
    consent = Consent(request=7, asked_by_id=OLGA, version=version)
    return told(floor.do(limit_command(scope, kind, value, actor=by, consent=consent)))


def told(reply: AnyReply) -> str:
    return f"set {reply.version}" if isinstance(reply, LimitReply) else denial(reply)
