"""The order ticket as a form: what a person may say of an order, and the exact order that it is.

Whether it may pass is the engine's business; the form asks only for what is missing.
"""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.domain.decimals import to_wire
from core.domain.errors import Refusal
from orders.domain.order_class import GroupTerms, OrderClass
from orders.domain.order_request import OrderSpec
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from orders.forms import (
    REFUSAL_FIELDS,
    SIDES,
    TIMES_IN_FORCE,
    InstrumentField,
    PlainDecimalField,
)

TYPES = [
    (OrderType.LIMIT.value, _("Limit")),
    (OrderType.MARKET.value, _("Market")),
    (OrderType.STOP.value, _("Stop")),
    (OrderType.STOP_LIMIT.value, _("Stop limit")),
    (OrderType.TRAILING_STOP.value, _("Trailing")),
]
EXITS = [
    (OrderClass.SIMPLE.value, _("None")),
    (OrderClass.BRACKET.value, _("Bracket")),
    (OrderClass.OTO.value, _("OTO")),
    (OrderClass.OCO.value, _("OCO")),
]
SIZES = [("QUANTITY", _("Units")), ("VALUE", _("Value"))]
TRAILS = [("PERCENT", "%"), ("PRICE", _("price"))]
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
_EXIT_PRICES = {
    "stop_loss.limit_price": "stop_loss_limit",
    "stop_loss.stop_price": "stop_loss",
}
"""Which field a refusal of a group's prices names first (docs/order-groups.md N3)."""


class TicketForm(forms.Form):
    """The order ticket. What its type, its exits or its size do not take is left out, whatever was
    typed into the field: such a field does not show.
    """

    symbol = InstrumentField()
    side = forms.ChoiceField(choices=SIDES)
    type = forms.ChoiceField(choices=TYPES)
    time_in_force = forms.ChoiceField(choices=TICKET_TIMES)
    expires_at = forms.DateTimeField(
        required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )
    size_by = forms.ChoiceField(choices=SIZES, required=False)
    quantity = PlainDecimalField(required=False)
    notional = PlainDecimalField(required=False)
    limit_price = PlainDecimalField(required=False)
    stop_price = PlainDecimalField(required=False)
    trail = PlainDecimalField(required=False)
    trail_by = forms.ChoiceField(choices=TRAILS, required=False)
    order_class = forms.ChoiceField(choices=EXITS, required=False)
    take_profit = PlainDecimalField(required=False)
    stop_loss = PlainDecimalField(required=False)
    stop_loss_limit = PlainDecimalField(required=False)
    display_quantity = PlainDecimalField(required=False)
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
        if self._is_by_value:
            self._require("notional", gettext("Say for how much."))
        else:
            self._require("quantity", gettext("Enter a quantity."))
        if order_type.names_limit:
            self._require("limit_price", gettext("A limit order needs a limit price."))
        if order_type in {OrderType.STOP, OrderType.STOP_LIMIT}:
            self._require("stop_price", gettext("A stop order needs a stop price."))
        if order_type is OrderType.TRAILING_STOP:
            self._require("trail", gettext("Say how far it keeps from the market."))
        if cleaned.get("time_in_force") == TimeInForce.GTD.value:
            self._require("expires_at", gettext("Say until when, in UTC."))
        self._check_exits()
        return cleaned

    def _check_exits(self) -> None:
        """The legs that the order's class needs are there."""
        profit, loss = (self.cleaned_data.get(name) for name in ("take_profit", "stop_loss"))
        order_class = self._order_class
        if order_class is OrderClass.BRACKET:
            self._require("take_profit", gettext("A bracket needs a take profit."))
        if order_class in {OrderClass.BRACKET, OrderClass.OCO}:
            self._require("stop_loss", gettext("It needs a stop loss."))
        if order_class is OrderClass.OTO and bool(profit) == bool(loss) and not self.errors:
            text = gettext(
                "Name one of the two, a take profit or a stop loss; for both, a bracket."
            )
            self.add_error("take_profit", text)
        if order_class is not OrderClass.SIMPLE and self._is_by_value:
            self.add_error("order_class", gettext("Exits need a quantity, not a value."))

    def _require(self, name: str, problem: str) -> None:
        if self.cleaned_data.get(name) is None and name not in self.errors:
            self.add_error(name, problem)

    @property
    def _is_by_value(self) -> bool:
        """Only a market order may name a value."""
        cleaned = self.cleaned_data
        return (cleaned.get("type"), cleaned.get("size_by")) == (OrderType.MARKET.value, "VALUE")

    @property
    def _order_class(self) -> OrderClass:
        return OrderClass(self.cleaned_data.get("order_class") or OrderClass.SIMPLE)

    def spec(self) -> OrderSpec:
        """The order that was asked for. Call only when valid."""
        cleaned = self.cleaned_data
        order_type = OrderType(cleaned["type"])
        is_fixed_stop = order_type in {OrderType.STOP, OrderType.STOP_LIMIT}
        trail = cleaned["trail"] if order_type is OrderType.TRAILING_STOP else None
        by_price = cleaned["trail_by"] == "PRICE"
        return OrderSpec(
            symbol=cleaned["symbol"].symbol,
            side=Side(cleaned["side"]),
            type=order_type,
            time_in_force=TimeInForce(cleaned["time_in_force"]),
            quantity=Decimal(0) if self._is_by_value else cleaned["quantity"],
            notional=cleaned["notional"] if self._is_by_value else None,
            limit_price=cleaned["limit_price"] if order_type.names_limit else None,
            stop_price=cleaned["stop_price"] if is_fixed_stop else None,
            trail_price=trail if by_price else None,
            trail_percent=None if by_price else trail,
            group=self._group(),
            display_quantity=cleaned["display_quantity"],
            client_order_id=cleaned["client_order_id"],
            stp_mode=StpMode(cleaned["stp_mode"]) if cleaned["stp_mode"] else None,
            post_only=cleaned["post_only"],
            reduce_only=cleaned["reduce_only"],
            expires_at=cleaned["expires_at"]
            if cleaned["time_in_force"] == TimeInForce.GTD.value
            else None,
        )

    def _group(self) -> GroupTerms | None:
        """The exits; of an OCO the order itself is the take profit."""
        cleaned, order_class = self.cleaned_data, self._order_class
        if order_class is OrderClass.SIMPLE:
            return None
        return GroupTerms(
            order_class,
            take_profit=None if order_class is OrderClass.OCO else cleaned["take_profit"],
            stop_price=cleaned["stop_loss"],
            stop_limit_price=cleaned["stop_loss_limit"] if cleaned["stop_loss"] else None,
        )

    def field_of(self, refusal: Refusal) -> str | None:
        """The field that a refusal is about; None: the order as a whole. A leg is refused in the
        words of an order, so its price tells which one it is.
        """
        reason, facts = str(refusal.reason), refusal.facts
        if reason == "GROUP_PRICES_INVALID":
            return _EXIT_PRICES.get(str(facts["price"]), "take_profit")
        name = REFUSAL_FIELDS.get(reason)
        legs = {"limit_price": ("take_profit", "stop_loss_limit"), "stop_price": ("stop_loss",)}
        if self._order_class is OrderClass.SIMPLE or name not in legs:
            return name
        refused = facts.get(name)
        for field in (name, *legs[name]):
            value = self.cleaned_data.get(field)
            if value is not None and to_wire(value) == refused:
                return field
        return name

    def show(self, refusal: Refusal) -> None:
        """Put a refusal's sentence beside the field that it is about, else over the whole."""
        self.add_error(self.field_of(refusal), refusal.message)

    @property
    def has_conditions(self) -> bool:
        """Whether anything of the fields under "more" is set or was refused."""
        names = ("post_only", "reduce_only", "stp_mode", "display_quantity")
        return any(self[name].value() or self[name].errors for name in names)
