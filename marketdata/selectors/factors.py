"""The adjustment factors of an instrument, as the domain takes them."""

from marketdata.domain.factors import Action, Factor, actions_of
from marketdata.models import AdjustmentFactor


def factors_of(instrument_id: int) -> list[Factor]:
    """All factors of the instrument by day; none when none were imported."""
    rows = AdjustmentFactor.objects.filter(instrument_id=instrument_id).order_by("day", "pk")
    return [
        Factor(row.day, row.price_factor, row.split_factor, row.reference_price) for row in rows
    ]


def corporate_actions(instrument_id: int) -> list[Action]:
    """The instrument's splits and dividends, oldest first."""
    return actions_of(factors_of(instrument_id))
