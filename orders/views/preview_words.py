"""What the ticket shows of a preview (orders/services/previews.py): the same texts for the page
that the server draws and for the scripts that ask again.
"""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from core.domain.decimals import to_wire
from marketdata.models import Instrument
from orders.domain.levels import MARK, MARKET, STOP, Level, draw, reward_to_risk
from orders.domain.order_class import Leg
from orders.domain.preview import Preview
from orders.domain.replies import HeadroomView, OutlookView
from orders.forms import REFUSAL_FIELDS
from orders.services.asking import unavailable
from orders.services.previews import TicketPreview
from orders.templatetags.trading_format import direction, fixed, leg_word, plain, signed

Shown = dict[str, object]


def digits_of(instrument: Instrument) -> int:
    """As many as its prices have after the point."""
    return len(to_wire(instrument.tick_size).partition(".")[2])


def preview_body(seen: Preview) -> Shown:
    """A preview as scripts read it."""
    return {
        "estimated_price": None if seen.price is None else to_wire(seen.price),
        "estimated_notional": None if seen.notional is None else to_wire(seen.notional),
        "estimated_fee": None if seen.fee is None else to_wire(seen.fee),
        "buying_power_after": None if seen.free_after is None else to_wire(seen.free_after),
        "takeable_quantity": to_wire(seen.takeable),
        "waits_in": seen.waits_in,
        "accepted": seen.denial is None,
        "reason": None if seen.denial is None else str(seen.denial.reason),
        "message": "" if seen.denial is None else seen.denial.sentence,
        "field": None if seen.denial is None else REFUSAL_FIELDS.get(str(seen.denial.reason)),
    }


def ticket_body(preview: TicketPreview, instrument: Instrument) -> Shown:
    """The ticket's preview: the order itself, its limits, its margin call, its exits."""
    digits, outlook, denial = digits_of(instrument), preview.outlook, preview.denial
    body = preview_body(preview.seen) | {
        "accepted": preview.is_accepted,
        "reason": None if denial is None else str(denial.reason),
        "message": "" if denial is None else denial.sentence,
        "field": None if denial is None else REFUSAL_FIELDS.get(str(denial.reason)),
        "quantity": outlook.quantity if outlook and preview.spec.notional is not None else None,
        "stop_price": outlook.stop_price if outlook else None,
        "hwm": outlook.hwm if outlook else None,
        "margin_call": _margin_call(outlook, digits),
        **_headroom(preview.limits, instrument.quote_currency_id),
        "scale": scale_body(preview.levels, digits),
    }
    if not preview.is_known:
        refusal = unavailable()
        body |= {"reason": str(refusal.reason), "message": refusal.message}
    return body


# --- limits


def _headroom(limits: Sequence[HeadroomView] | None, currency: str) -> Shown:
    """The tightest limit: what is left of it, and what it is."""
    if limits is None:
        return {"headroom": "", "headroom_note": ""}
    if not limits:
        return {"headroom": _("none on its path"), "headroom_note": ""}
    tightest = limits[0]
    used, value = Decimal(tightest.would_be or 0), Decimal(tightest.limit)
    left = value - used
    text = _("%(amount)s left") if left >= 0 else _("exceeded by %(amount)s")
    note = _("%(kind)s, %(scope)s: %(used)s of %(limit)s")
    return {
        "headroom": text % {"amount": _amount(tightest.kind, abs(left), currency)},
        "headroom_note": note
        % {
            "kind": _kind_word(tightest),
            "scope": tightest.scope,
            "used": _amount(tightest.kind, used, currency),
            "limit": _amount(tightest.kind, value, currency),
        },
    }


def _kind_word(limit: HeadroomView) -> str:
    words = {
        "order_quantity": _("Quantity of an order"),
        "order_value": _("Value of an order"),
        "open_orders": _("Open orders"),
        "position": _("Position"),
        "exposure": _("Exposure"),
        "leverage": _("Leverage"),
        "price_collar": _("Price collar"),
    }
    word = words.get(limit.kind, limit.kind.replace("_", " "))
    return f"{word} {limit.symbol}" if limit.symbol else word


def _amount(kind: str, value: Decimal, currency: str) -> str:
    if kind in {"order_value", "exposure"}:
        return f"{fixed(value, 2)} {currency}"
    if kind == "leverage":
        return f"{fixed(value, 2)}×"
    if kind == "price_collar":
        return _("%(number)s bp") % {"number": fixed(value, 1)}
    return plain(value)


def _margin_call(outlook: OutlookView | None, digits: int) -> str:
    """From which price on; empty for a cash account."""
    if outlook is None or not outlook.call_side:
        return ""
    if outlook.call_price is None:
        return _("at no price")
    is_below = outlook.call_side == "below"
    text = _("below %(price)s") if is_below else _("above %(price)s")
    return text % {"price": fixed(outlook.call_price, digits)}


# --- exits


def scale_body(levels: Sequence[Level], digits: int) -> Shown | None:
    """The prices of an order and its exits as they are drawn; None for fewer than two."""
    scale = draw(levels)
    if scale is None:
        return None
    entry = next((level.price for level in levels if level.kind == Leg.ENTRY), None)
    rows = [
        {
            "kind": item.level.kind,
            "y": item.y,
            "label_y": item.label_y,
            "text": _level_text(item.level, entry, digits),
            "gain": "" if item.level.gain is None else signed(item.level.gain, 2),
            "direction": direction(item.level.gain),
        }
        for item in scale.levels
    ]
    ratio = reward_to_risk(levels)
    return {
        "height": scale.height,
        "zones": [{"kind": z.kind, "y": z.y, "height": z.height} for z in scale.zones],
        "levels": rows,
        "ratio": "" if ratio is None else _("Reward to risk %(ratio)s") % {"ratio": ratio},
        "summary": "; ".join(f"{row['text']} {row['gain']}".strip() for row in rows),
    }


def _level_word(kind: str) -> str:
    """What stands at a price: a part of a group, the market, a trailing stop."""
    words = {MARKET: _("Market"), MARK: _("Mark"), STOP: _("Stop")}
    return words.get(kind) or leg_word(kind)


def _level_text(level: Level, entry: Decimal | None, digits: int) -> str:
    """ "Take profit 110.00 +10.0%": how far it is from the entry."""
    text = f"{_level_word(level.kind)} {fixed(level.price, digits)}"
    if entry is None or level.kind == Leg.ENTRY or not entry:
        return text
    return f"{text} {signed((level.price - entry) * 100 / entry, 1)}%"
