"""What one setting may be: default, reason and limits; and how a wrong one is named.

`config` defines the settings with `option`; the file, the command line and the environment are held
to the same rule, and `configdoc` writes the rules down.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, TypedDict, TypeVar, Unpack

from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.shapes import Shape

RULE = "rule"

T = TypeVar("T")


class Limits(TypedDict, total=False):
    """What `option` takes besides the default and its reason; see Rule."""

    low: float
    high: float
    choices: tuple[str, ...]
    shape: Shape
    flag: str
    variable: str


@dataclass(frozen=True, slots=True)
class Rule:
    """The reason for a default, and the values that a setting may take."""

    why: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    shape: Shape | None = None
    flag: str = ""  # the option of `./portal up` that sets it too
    variable: str = ""  # the environment variable that stands in while the setting is empty


def option(default: T, why: str, **limits: Unpack[Limits]) -> T:
    """A setting of a configuration section."""
    value: T = field(default=default, metadata={RULE: Rule(why, **limits)})
    return value


def rule_of(item: dataclasses.Field[Any]) -> Rule:  # Any: fields differ in type
    """The rule that `option` gave the field."""
    rule: Rule = item.metadata[RULE]
    return rule


def check(rule: Rule, kind: type, value: object, where: str) -> None:
    """Raise PortalError, which names `where` and the value, unless the value may be taken.

    `kind` is the setting's type: int, float or str.
    """
    if rule.choices:
        if value not in rule.choices:
            raise PortalError(f"{where} must be one of {', '.join(rule.choices)}, not {value!r}")
    elif kind is str:
        _check_text(rule, value, where)
    else:
        _check_number(rule, kind, value, where)


def _check_text(rule: Rule, value: object, where: str) -> None:
    if not isinstance(value, str):
        raise PortalError(f"{where} must be text in quotes, not {value!r}")
    if rule.shape is not None and not rule.shape.fits(value):
        raise PortalError(f"{where} must be {rule.shape.says}, not {rule.shape.quote(value)}")


def _check_number(rule: Rule, kind: type, value: object, where: str) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind is int and not whole:
        raise PortalError(f"{where} must be a whole number, not {value!r}")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise PortalError(f"{where} must be a number, not {value!r}")
    if not rule.low <= value <= rule.high:  # NaN fails too
        raise PortalError(f"{where} must be between {rule.low} and {rule.high}, not {value!r}")
