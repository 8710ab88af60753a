"""How the server writes numbers and words on the trading pages: grouped, fixed digits, a real
minus, a dash for what is not known. static/src/core/format.ts writes the same live.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

register = template.Library()

MISSING = "–"
MINUS = "\N{MINUS SIGN}"
MOST_DIGITS = 8


def _read(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _rounded(number: Decimal, digits: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _grouped(number: Decimal) -> str:
    text = f"{abs(number):,f}"
    return MINUS + text if number < 0 else text


@register.filter
def fixed(value: object, digits: int) -> str:
    """1234.5 with two digits → "1,234.50"; what is not a number → a dash."""
    number = _read(value)
    return MISSING if number is None else _grouped(_rounded(number, digits))


@register.filter
def plain(value: object) -> str:
    """As many digits as the value needs: a quantity, a tick, a limit price."""
    number = _read(value)
    if number is None:
        return MISSING
    text = f"{_rounded(number, MOST_DIGITS):f}".rstrip("0").rstrip(".")
    return _grouped(Decimal(text))


@register.filter
def signed(value: object, digits: int) -> str:
    """With an explicit sign: "+1.25", "−0.40"; a rounded zero has none."""
    number = _read(value)
    if number is None:
        return MISSING
    rounded = _rounded(number, digits)
    return ("+" if rounded > 0 else "") + _grouped(rounded if rounded else abs(rounded))


@register.filter
def direction(value: object) -> str:
    """The CSS class of a change: up, down or flat."""
    number = _read(value)
    if not number:
        return "flat"
    return "up" if number > 0 else "down"


@register.filter
def glyph(value: object) -> str:
    return {"up": "▲", "down": "▼", "flat": "◆"}[direction(value)]


@register.filter
def side_word(side: str) -> str:
    return pgettext("order side", "Buy") if side == "BUY" else pgettext("order side", "Sell")


@register.filter
def status_word(status: str) -> str:
    """An order's state as a trader says it."""
    words = {
        "HELD": _("Waits for its entry"),
        "QUEUED": _("Waits for the auction"),
        "ACCEPTED": _("Working"),
        "TRIGGERED": _("Triggered"),
        "PARTIALLY_FILLED": _("Partly filled"),
        "FILLED": _("Filled"),
        "CANCELED": _("Canceled"),
        "EXPIRED": _("Expired"),
        "REPLACED": _("Replaced"),
    }
    return words.get(status, status)


@register.filter
def type_word(order_type: str) -> str:
    """An order's type as a trader says it."""
    words = {
        "LIMIT": _("Limit"),
        "MARKET": _("Market"),
        "STOP": _("Stop"),
        "STOP_LIMIT": _("Stop limit"),
        "TRAILING_STOP": _("Trailing stop"),
    }
    return words.get(order_type, order_type)


@register.filter
def leg_word(leg: str) -> str:
    """An order's part in its group (docs/order-groups.md)."""
    words = {
        "ENTRY": _("Entry"),
        "TAKE_PROFIT": _("Take profit"),
        "STOP_LOSS": _("Stop loss"),
    }
    return words.get(leg, leg)


@register.filter
def market_word(state: str) -> str:
    """The state of an instrument's market (docs/market-states.md)."""
    words = {
        "OPEN": _("Open"),
        "HALTED": _("Halted"),
        "CANCEL_ONLY": _("Cancel only"),
        "POST_ONLY": _("Post only"),
        "AUCTION": _("Auction"),
        "CLOSED": _("Closed"),
    }
    return words.get(state, state)


@register.filter
def trading_word(state: str) -> str:
    """A trading state as the terminal's banner says it."""
    words = {
        "HALTED": _("Halted"),
        "CANCEL_ONLY": _("No new orders"),
        "REDUCE_ONLY": _("Reduce only"),
    }
    return words.get(state, state)


@register.filter
def trading_meaning(state: str) -> str:
    """What a trading state does to orders (docs/risk.md W1)."""
    words = {
        "HALTED": _("No new orders are taken; all open ones were canceled."),
        "CANCEL_ONLY": _("No new orders are taken; open ones work on and can be canceled."),
        "REDUCE_ONLY": _("Only orders that lessen a position are taken."),
    }
    return words.get(state, "")


@register.filter
def times(value: object, factor: object) -> Decimal | None:
    """The product; None when one of the two is not known."""
    number, other = _read(value), _read(factor)
    return None if number is None or other is None else number * other
