"""What the trading pages accept: each form turns strings into the exact values a service takes.

Whether an order may pass is the engine's business; a form refuses only what cannot be read.
"""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.domain.decimals import DecimalSyntaxError, parse_decimal
from marketdata.domain.timeframes import Timeframe, parse_timeframe
from marketdata.models import Instrument
from marketdata.selectors.bars import CHART_LIMIT, CHART_TIMEFRAMES
from marketdata.selectors.instruments import instrument_by_symbol
from orders.domain.order_request import OrderSpec
from orders.domain.values import OrderType, Side, TimeInForce

SIDES = [
    (Side.BUY.value, pgettext_lazy("order side", "Buy")),
    (Side.SELL.value, pgettext_lazy("order side", "Sell")),
]
TYPES = [(OrderType.LIMIT.value, _("Limit")), (OrderType.MARKET.value, _("Market"))]
TIMES_IN_FORCE = [
    (TimeInForce.DAY.value, _("Day")),
    (TimeInForce.GTC.value, _("Until canceled")),
    (TimeInForce.IOC.value, _("Immediate or cancel")),
    (TimeInForce.FOK.value, _("Fill or kill")),
]
DEFAULT_BARS = 300


class PlainDecimalField(forms.CharField):
    """A positive decimal in plain notation, kept exact."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(required=required, max_length=40)

    def clean(self, value: Any) -> Any:  # Any: Django's signature
        text = super().clean(value)
        if not text:
            return None
        try:
            number = parse_decimal(text)
        except DecimalSyntaxError as error:
            raise forms.ValidationError(_("Write a plain number such as 12.50.")) from error
        if number <= 0:
            raise forms.ValidationError(_("Write a number above zero."))
        return number


class InstrumentField(forms.CharField):
    """The symbol of an instrument that exists; cleans to the instrument."""

    def __init__(self) -> None:
        super().__init__(max_length=32)

    def clean(self, value: Any) -> Instrument:  # Any: Django's signature
        instrument = instrument_by_symbol(super().clean(value))
        if instrument is None:
            raise forms.ValidationError(_("There is no such instrument."))
        return instrument


class TicketForm(forms.Form):
    """The order ticket. A market order has no limit price, whatever was typed into the field."""

    symbol = InstrumentField()
    side = forms.ChoiceField(choices=SIDES)
    type = forms.ChoiceField(choices=TYPES)
    time_in_force = forms.ChoiceField(choices=TIMES_IN_FORCE)
    quantity = PlainDecimalField()
    limit_price = PlainDecimalField(required=False)
    client_order_id = forms.CharField(
        max_length=128, required=False, validators=[RegexValidator(r"\A[\x21-\x7e]+\Z")]
    )

    def clean(self) -> dict[str, Any]:  # Any: cleaned values of several types
        cleaned = super().clean() or {}
        is_limit = cleaned.get("type") == OrderType.LIMIT
        if is_limit and cleaned.get("limit_price") is None and "limit_price" not in self.errors:
            self.add_error("limit_price", _("A limit order needs a limit price."))
        return cleaned

    def spec(self) -> OrderSpec:
        """The order that was asked for. Call only when valid."""
        cleaned = self.cleaned_data
        order_type = OrderType(cleaned["type"])
        limit_price: Decimal | None = cleaned["limit_price"]
        return OrderSpec(
            symbol=cleaned["symbol"].symbol,
            side=Side(cleaned["side"]),
            type=order_type,
            time_in_force=TimeInForce(cleaned["time_in_force"]),
            quantity=cleaned["quantity"],
            limit_price=limit_price if order_type is OrderType.LIMIT else None,
            client_order_id=cleaned["client_order_id"],
        )


class ChartForm(forms.Form):
    """Which bars a chart asks for."""

    symbol = InstrumentField()
    timeframe = forms.ChoiceField(choices=[(name, name) for name in CHART_TIMEFRAMES])
    limit = forms.IntegerField(min_value=1, max_value=CHART_LIMIT, required=False)

    def clean_limit(self) -> int:
        return self.cleaned_data["limit"] or DEFAULT_BARS

    def clean_timeframe(self) -> Timeframe:
        timeframe = parse_timeframe(self.cleaned_data["timeframe"])
        assert timeframe is not None  # every choice is a timeframe
        return timeframe
