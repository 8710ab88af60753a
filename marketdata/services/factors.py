"""Stores adjustment factors and hands them to whoever reads bars."""

from collections.abc import Iterable

from django.db import transaction

from marketdata.cache import forget_bars
from marketdata.domain.factors import Factor
from marketdata.models import AdjustmentFactor, Instrument


@transaction.atomic
def save_factors(instrument: Instrument, factors: Iterable[Factor], source: str) -> int:
    """Put the instrument's factors in the place of those it has; returns how many there are. A
    file of factors is always the whole history: each split changes all of it.
    """
    AdjustmentFactor.objects.filter(instrument=instrument).delete()
    rows = AdjustmentFactor.objects.bulk_create(
        AdjustmentFactor(
            instrument=instrument,
            day=factor.day,
            price_factor=factor.price_factor,
            split_factor=factor.split_factor,
            reference_price=factor.reference_price,
            source=source,
        )
        for factor in factors
    )
    forget_bars(instrument.pk)
    return len(rows)
