"""The form with which operators set an instrument's collar and volatility band."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.origin import Origin
from marketdata.models import Instrument
from orders.admin.actor import actor_of
from orders.services.instruments import Bands, set_bands

MAX_BPS = 9_999
MAX_SECONDS = 86_400


def _number(label: str, least: int, most: int, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        label=label,
        min_value=least,
        max_value=most,
        widget=UnfoldAdminTextInputWidget,
        help_text=f"{help_text} Empty: as it is.",
    )


class BandsForm(ReasonForm):
    market_band_bps = _number(
        "Market-order collar", 1, MAX_BPS, "Basis points from the best price."
    )
    volatility_bps = _number(
        "Volatility band", 0, MAX_BPS, "Basis points from the reference price; 0: none."
    )
    window_seconds = _number("Window", 1, MAX_SECONDS, "Seconds that one reference price holds.")
    pause_state = forms.ChoiceField(
        required=False,
        choices=[("", "as it is"), ("AUCTION", "AUCTION"), ("HALTED", "HALTED")],
        label="Pause",
        widget=UnfoldAdminSelectWidget,
    )
    pause_seconds = _number("Its length", 1, MAX_SECONDS, "Seconds.")

    def clean(self) -> dict[str, Any]:  # Any: each field its own
        values = super().clean() or {}
        if all(values.get(name) in {None, ""} for name in Bands._fields) and not self.errors:
            raise ValidationError("Nothing would change.")
        return values


def _set_bands(
    request: HttpRequest, instrument: Instrument, values: dict[str, Any], origin: Origin
) -> str:
    bands = Bands(**{name: values[name] for name in Bands._fields})
    set_bands(
        instrument=instrument,
        bands=bands._replace(pause_state=bands.pause_state or None),
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    instrument.refresh_from_db()
    band = f"{instrument.volatility_bps} bps" if instrument.volatility_bps else "none"
    return f"the collar is now {instrument.market_band_bps} bps, the volatility band {band}."


SET_BANDS = ConfirmedAction(
    "set_bands",
    "Change how far market orders, and trades, may go in these instruments?",
    "Set bands",
    _set_bands,
    BandsForm,
    name_of=lambda item: (
        f"{item.symbol} (collar {item.market_band_bps} bps, band {item.volatility_bps} bps in"
        f" {item.window_seconds} s, then {item.pause_state} for {item.pause_seconds} s)"
    ),
)
