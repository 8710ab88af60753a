"""Margin and short selling: operators set them for accounts, by the engine."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.origin import Origin
from orders.admin.actor import actor_of
from orders.services.margin import set_margin
from portfolio.models import TradingAccount


class MarginForm(ReasonForm):
    multiplier = forms.TypedChoiceField(
        choices=[(1, "1: cash account"), (2, "2"), (4, "4")],
        coerce=int,
        widget=UnfoldAdminSelectWidget,
    )
    is_shorting_enabled = forms.BooleanField(
        required=False, label="May sell short", widget=UnfoldBooleanSwitchWidget
    )


def _set_margin(
    request: HttpRequest, account: TradingAccount, values: dict[str, Any], origin: Origin
) -> str:
    set_margin(
        account=account,
        multiplier=values["multiplier"],
        is_shorting_enabled=values["is_shorting_enabled"],
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    short = "may" if values["is_shorting_enabled"] else "may not"
    return f"the multiplier is now {values['multiplier']}; it {short} sell short."


SET_MARGIN = ConfirmedAction(
    "set_margin",
    "Change the margin of these accounts? They must have no open orders.",
    "Set margin",
    _set_margin,
    MarginForm,
    name_of=lambda account: f"{account.name} of {account.owner} ({account.public_id})",
)
