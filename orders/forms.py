"""What the trading pages accept: each form turns strings into the exact values a service takes.

Whether an order may pass is the engine's business; a form refuses only what cannot be read.
"""

from collections.abc import Collection
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import Refusal
from marketdata.domain.formulas.lexer import MAX_TEXT
from marketdata.domain.indicators.spec import MAX_LIST
from marketdata.domain.market_states import STORED_STATES
from marketdata.domain.timeframes import Timeframe, parse_timeframe
from marketdata.models import Instrument
from marketdata.selectors.bars import CHART_LIMIT, CHART_TIMEFRAMES
from marketdata.selectors.instruments import instrument_by_symbol
from orders.domain.changing import Wanted
from orders.domain.values import Side, TimeInForce
from risk.domain.limit_tree import LimitKind
from risk.models import LIMIT_KINDS
from risk.selectors import may_manage_trading

SIDES = [
    (Side.BUY.value, pgettext_lazy("order side", "Buy")),
    (Side.SELL.value, pgettext_lazy("order side", "Sell")),
]
TIMES_IN_FORCE = [
    (TimeInForce.DAY.value, _("Day")),
    (TimeInForce.GTC.value, _("Until canceled")),
    (TimeInForce.IOC.value, _("Immediate or cancel")),
    (TimeInForce.FOK.value, _("Fill or kill")),
]
DEFAULT_BARS = 300
REFUSAL_FIELDS = {
    "AMEND_NOT_LESS": "quantity",
    "AUCTION_NOT_HELD": "time_in_force",
    "AUCTION_TOO_LATE": "time_in_force",
    "DISPLAY_NOT_ALLOWED": "display_quantity",
    "DISPLAY_OUT_OF_RANGE": "display_quantity",
    "EXPIRY_OUT_OF_RANGE": "expires_at",
    "GROUP_DIRECTION_INVALID": "order_class",
    "GROUP_LEGS_INVALID": "order_class",
    "GROUP_NOT_OFFERED": "order_class",
    "GROUP_PRICES_INVALID": "take_profit",
    "GROUP_TIF_NOT_ALLOWED": "time_in_force",
    "GROUP_TYPE_NOT_ALLOWED": "order_class",
    "NOTIONAL_NOT_ALLOWED": "notional",
    "NOTIONAL_OUT_OF_RANGE": "notional",
    "NOTIONAL_TOO_SMALL": "notional",
    "POST_ONLY_NOT_ALLOWED": "post_only",
    "POST_ONLY_WOULD_TAKE": "limit_price",
    "PRICE_OFF_TICK": "limit_price",
    "PRICE_OUT_OF_RANGE": "limit_price",
    "QUANTITY_OFF_LOT": "quantity",
    "QUANTITY_OUT_OF_RANGE": "quantity",
    "REDUCE_ONLY_EXCEEDS": "quantity",
    "SELF_TRADE": "stp_mode",
    "STOP_PRICE_OFF_TICK": "stop_price",
    "STOP_PRICE_OUT_OF_RANGE": "stop_price",
    "STOP_PRICE_PASSED": "stop_price",
    "TIF_NOT_ALLOWED": "time_in_force",
    "TRAIL_OUT_OF_RANGE": "trail",
    "TRAIL_PERCENT_INVALID": "trail",
    "TRAIL_PRICE_INVALID": "trail",
    "TRAIL_REFERENCE_NONE": "trail",
}
"""The field that a refusal is shown beside; any other is about the order as a whole."""


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


class ChangeForm(forms.Form):
    """What a page changes of an open order; empty: as it is. `quantity` is what it shall still
    fill, `filled` what had filled when the page was drawn.
    """

    quantity = PlainDecimalField(required=False)
    limit_price = PlainDecimalField(required=False)
    stop_price = PlainDecimalField(required=False)
    trail = PlainDecimalField(required=False)
    time_in_force = forms.ChoiceField(
        choices=[("", ""), *((name.value, name.value) for name in TimeInForce)], required=False
    )
    filled = forms.DecimalField(min_value=0, max_digits=28, decimal_places=8, required=False)

    def wanted(self) -> Wanted:
        """Call only when valid."""
        cleaned = self.cleaned_data
        return Wanted(
            leaves=cleaned["quantity"],
            limit_price=cleaned["limit_price"],
            stop_price=cleaned["stop_price"],
            time_in_force=TimeInForce(cleaned["time_in_force"])
            if cleaned["time_in_force"]
            else None,
            trail=cleaned["trail"],
        )

    def show(self, refusal: Refusal, *, offered: Collection[str]) -> None:
        """Put a refusal's sentence beside the field that it is about, if that is `offered`, else
        over the whole. A distance gives a stop price, so what is said of that is said of it.
        """
        name = REFUSAL_FIELDS.get(str(refusal.reason))
        if name == "stop_price" and "trail" in offered:
            name = "trail"
        self.add_error(name if name in offered else None, refusal.message)


class CancelAllForm(forms.Form):
    """Which open orders are canceled; empty: whatever the instrument, whatever the side."""

    symbol = forms.CharField(max_length=32, required=False)
    side = forms.ChoiceField(choices=[("", _("Both sides")), *SIDES], required=False)

    def side_of(self) -> Side | None:
        """Call only when valid."""
        return Side(self.cleaned_data["side"]) if self.cleaned_data["side"] else None


class ChartForm(forms.Form):
    """Which bars a chart asks for."""

    symbol = InstrumentField()
    timeframe = forms.ChoiceField(choices=[(name, name) for name in CHART_TIMEFRAMES])
    limit = forms.IntegerField(min_value=1, max_value=CHART_LIMIT, required=False)
    tail = forms.IntegerField(min_value=1, max_value=CHART_LIMIT, required=False)
    indicators = forms.CharField(max_length=MAX_LIST, required=False)
    formula = forms.CharField(max_length=MAX_TEXT, required=False, strip=False)

    def clean_limit(self) -> int:
        return self.cleaned_data["limit"] or DEFAULT_BARS

    def clean_timeframe(self) -> Timeframe:
        timeframe = parse_timeframe(self.cleaned_data["timeframe"])
        assert timeframe is not None  # every choice is a timeframe
        return timeframe


class FormulaForm(forms.Form):
    """A formula to keep: a new one, or the one of `id` with this name and text."""

    id = forms.UUIDField(required=False)
    name = forms.CharField(max_length=64)
    text = forms.CharField(max_length=MAX_TEXT, strip=False)


class ReasonForm(forms.Form):
    """Why an operator does what he does to somebody else."""

    reason = forms.CharField(min_length=1, max_length=500)


class MarketStateForm(ReasonForm):
    """A market and the state that it shall have."""

    symbol = InstrumentField()
    status = forms.ChoiceField(choices=[(state.value, state.value) for state in STORED_STATES])


class SwitchForm(forms.Form):
    """The kill switch's dialog; without a scope it means the viewer's account."""

    scope = forms.CharField(max_length=120, required=False)
    reason = forms.CharField(min_length=1, max_length=500)


class LimitForm(forms.Form):
    """One limit as the page sets it or asks for it; who manages risk names any scope."""

    scope = forms.CharField(max_length=120)
    kind = forms.ChoiceField(choices=LIMIT_KINDS)
    symbol = forms.CharField(max_length=32, required=False)
    value = forms.DecimalField(min_value=0, max_digits=20, decimal_places=8, required=False)
    window_seconds = forms.IntegerField(min_value=0, max_value=3_600, required=False)
    reason = forms.CharField(min_length=5, max_length=500)

    def __init__(self, data: QueryDict | None = None, *, viewer: User) -> None:
        scope = "firm" if may_manage_trading(viewer) else "account"
        super().__init__(data, initial={"scope": scope, "kind": LimitKind.ORDER_VALUE.value})

    def clean_symbol(self) -> Instrument | None:
        """The instrument; nothing for whatever is traded."""
        symbol: str = self.cleaned_data["symbol"].strip().upper()
        instrument = instrument_by_symbol(symbol) if symbol else None
        if symbol and instrument is None:
            raise forms.ValidationError(_("There is no such symbol."))
        return instrument


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(choices=[("approve", ""), ("reject", "")])
    reason = forms.CharField(max_length=500, required=False)
