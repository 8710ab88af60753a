"""How the pages write limits: by their words (risk.domain.limit_words), values with their units."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.templatetags.trading_format import fixed, plain
from risk.domain.limit_tree import LimitKind
from risk.domain.limit_words import WORDS, LimitUnit

register = template.Library()
MONEY_DIGITS = 2
BASIS_POINTS_OF_PERCENT = 100


@register.filter
def limit_word(kind: str) -> str:
    """What people call the kind."""
    return WORDS[LimitKind(kind)].label


@register.filter
def limit_meaning(kind: str) -> str:
    """What it means, in a sentence."""
    return WORDS[LimitKind(kind)].meaning


@register.filter
def limit_value(value: Decimal, kind: str) -> str:
    """A value of the kind with what it counts: "4 orders", "2 ×", "500 bps (5 %)"."""
    return in_unit(value, WORDS[LimitKind(kind)].unit)


@register.filter
def in_unit(value: Decimal, unit: LimitUnit) -> str:
    """A number with its unit."""
    match unit:
        case LimitUnit.SWITCH:
            return _("only what lessens a position") if value else _("no trading")
        case LimitUnit.ORDERS:
            words = ngettext("%(number)s order", "%(number)s orders", int(value))
            return words % {"number": plain(value)}
        case LimitUnit.TIMES:
            return f"{plain(value)} ×"
        case LimitUnit.BASIS_POINTS:
            return f"{plain(value)} bps ({plain(value / BASIS_POINTS_OF_PERCENT)} %)"
        case LimitUnit.MONEY:
            return fixed(value, MONEY_DIGITS)
    return plain(value)
