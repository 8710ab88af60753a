"""What operators do to an instrument's trading."""

from accounts.models import User
from core.domain.origin import Origin
from marketdata.models import Instrument
from orders.domain import commands
from orders.services.asking import ask


def set_instrument_status(
    *, instrument: Instrument, status: str, reason: str, actor: User, origin: Origin
) -> None:
    """Bring an instrument's market into a state (MarketState), with a reason, on the record."""
    ask(
        commands.SetInstrumentStatus(
            symbol=instrument.symbol,
            status=status,
            request_id=origin.request_id,
            reason=reason,
            actor_id=actor.pk,
            address=origin.address,
        )
    )
