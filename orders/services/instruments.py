"""What operators do to an instrument's trading."""

from typing import NamedTuple

from accounts.models import User
from core.domain.origin import Origin
from marketdata.models import Instrument
from orders.domain import commands
from orders.domain.market_commands import SetBands
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


class Bands(NamedTuple):
    """How far market orders and trades may go (docs/market-states.md B2, V1); None: as it is."""

    market_band_bps: int | None = None
    volatility_bps: int | None = None
    window_seconds: int | None = None
    pause_state: str | None = None
    pause_seconds: int | None = None


def set_bands(
    *, instrument: Instrument, bands: Bands, reason: str, actor: User, origin: Origin
) -> None:
    """Set the instrument's collar and volatility band, with a reason, on the record."""
    ask(
        SetBands(
            instrument.symbol,
            origin.request_id,
            *bands,
            reason=reason,
            actor_id=actor.pk,
            address=origin.address,
        )
    )
