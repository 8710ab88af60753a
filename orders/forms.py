"""What the trading pages accept: each form turns strings into the exact values a service takes.

Whether an order may pass is the engine's business; a form refuses only what cannot be read.
"""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import Refusal
from marketdata.domain.market_states import STORED_STATES
from marketdata.domain.timeframes import Timeframe, parse_timeframe
from marketdata.models import Instrument
from marketdata.selectors.bars import CHART_LIMIT, CHART_TIMEFRAMES
from marketdata.selectors.instruments import instrument_by_symbol
from orders.domain.changing import Wanted
from orders.domain.order_request import OrderSpec
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from risk.domain.limit_tree import LimitKind
from risk.models import LIMIT_KINDS
from risk.selectors import may_manage_trading

SIDES = [
    (Side.BUY.value, pgettext_lazy("order side", "Buy")),
    (Side.SELL.value, pgettext_lazy("order side", "Sell")),
]
TYPES = [
    (OrderType.LIMIT.value, _("Limit")),
    (OrderType.MARKET.value, _("Market")),
    (OrderType.STOP.value, _("Stop")),
    (OrderType.STOP_LIMIT.value, _("Stop limit")),
]
TIMES_IN_FORCE = [
    (TimeInForce.DAY.value, _("Day")),
    (TimeInForce.GTC.value, _("Until canceled")),
    (TimeInForce.IOC.value, _("Immediate or cancel")),
    (TimeInForce.FOK.value, _("Fill or kill")),
]
TICKET_TIMES = [
    *TIMES_IN_FORCE,
    (TimeInForce.GTD.value, _("Until a time")),
    (TimeInForce.OPG.value, _("At the opening")),
    (TimeInForce.CLS.value, _("At the close")),
]
STP_MODES = [
    ("", _("As the account is set")),
    (StpMode.REJECT.value, _("Refuse the order")),
    (StpMode.EXPIRE_TAKER.value, _("End the new order")),
    (StpMode.EXPIRE_MAKER.value, _("End the resting order")),
    (StpMode.EXPIRE_BOTH.value, _("End both")),
    (StpMode.DECREMENT.value, _("Lessen both")),
]
DEFAULT_BARS = 300
REFUSAL_FIELDS = {
    "AMEND_NOT_LESS": "quantity",
    "AUCTION_NOT_HELD": "time_in_force",
    "AUCTION_TOO_LATE": "time_in_force",
    "EXPIRY_OUT_OF_RANGE": "expires_at",
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


class TicketForm(forms.Form):
    """The order ticket. A price that the order's type does not take is left out, whatever was typed
    into its field.
    """

    symbol = InstrumentField()
    side = forms.ChoiceField(choices=SIDES)
    type = forms.ChoiceField(choices=TYPES)
    time_in_force = forms.ChoiceField(choices=TICKET_TIMES)
    expires_at = forms.DateTimeField(
        required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )
    quantity = PlainDecimalField()
    limit_price = PlainDecimalField(required=False)
    stop_price = PlainDecimalField(required=False)
    post_only = forms.BooleanField(required=False)
    reduce_only = forms.BooleanField(required=False)
    stp_mode = forms.ChoiceField(choices=STP_MODES, required=False)
    client_order_id = forms.CharField(
        max_length=128, required=False, validators=[RegexValidator(r"\A[\x21-\x7e]+\Z")]
    )

    def clean(self) -> dict[str, Any]:  # Any: cleaned values of several types
        cleaned = super().clean() or {}
        if "type" not in cleaned:
            return cleaned
        order_type = OrderType(cleaned["type"])
        if order_type.names_limit:
            self._require("limit_price", gettext("A limit order needs a limit price."))
        if order_type.is_stop:
            self._require("stop_price", gettext("A stop order needs a stop price."))
        if cleaned.get("time_in_force") == TimeInForce.GTD.value:
            self._require("expires_at", gettext("Say until when, in UTC."))
        return cleaned

    def _require(self, name: str, problem: str) -> None:
        if self.cleaned_data.get(name) is None and name not in self.errors:
            self.add_error(name, problem)

    def spec(self) -> OrderSpec:
        """The order that was asked for. Call only when valid."""
        cleaned = self.cleaned_data
        order_type = OrderType(cleaned["type"])
        limit_price: Decimal | None = cleaned["limit_price"]
        stop_price: Decimal | None = cleaned["stop_price"]
        return OrderSpec(
            symbol=cleaned["symbol"].symbol,
            side=Side(cleaned["side"]),
            type=order_type,
            time_in_force=TimeInForce(cleaned["time_in_force"]),
            quantity=cleaned["quantity"],
            limit_price=limit_price if order_type.names_limit else None,
            stop_price=stop_price if order_type.is_stop else None,
            client_order_id=cleaned["client_order_id"],
            stp_mode=StpMode(cleaned["stp_mode"]) if cleaned["stp_mode"] else None,
            post_only=cleaned["post_only"],
            reduce_only=cleaned["reduce_only"],
            expires_at=cleaned["expires_at"]
            if cleaned["time_in_force"] == TimeInForce.GTD.value
            else None,
        )

    def show(self, refusal: Refusal) -> None:
        """Put a refusal's sentence beside the field that it is about, else over the whole."""
        self.add_error(REFUSAL_FIELDS.get(str(refusal.reason)), refusal.message)

    @property
    def has_conditions(self) -> bool:
        """Whether anything of the fields under "more" is set or was refused."""
        names = ("post_only", "reduce_only", "stp_mode")
        return any(self[name].value() or self[name].errors for name in names)


class ChangeForm(forms.Form):
    """What a page changes of an open order; empty: as it is. `quantity` is what it shall still
    fill, `filled` what had filled when the page was drawn.
    """

    quantity = PlainDecimalField(required=False)
    limit_price = PlainDecimalField(required=False)
    stop_price = PlainDecimalField(required=False)
    time_in_force = forms.ChoiceField(choices=[("", ""), *TIMES_IN_FORCE], required=False)
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
        )

    def show(self, refusal: Refusal) -> None:
        """Put a refusal's sentence beside the field that it is about, else over the whole."""
        name = REFUSAL_FIELDS.get(str(refusal.reason))
        self.add_error(name if name in self.fields else None, refusal.message)


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

    def clean_limit(self) -> int:
        return self.cleaned_data["limit"] or DEFAULT_BARS

    def clean_timeframe(self) -> Timeframe:
        timeframe = parse_timeframe(self.cleaned_data["timeframe"])
        assert timeframe is not None  # every choice is a timeframe
        return timeframe


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
