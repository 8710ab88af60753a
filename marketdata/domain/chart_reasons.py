"""Why an indicator or a formula is turned down: the closed list, and the errors that carry it.

Raised by marketdata/domain/indicators and marketdata/domain/formulas; services make refusals of
them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ChartReason(StrEnum):
    """Reasons of the chart data service."""

    INDICATOR_UNREADABLE = "INDICATOR_UNREADABLE"
    INDICATOR_UNKNOWN = "INDICATOR_UNKNOWN"
    INDICATOR_PARAMETER = "INDICATOR_PARAMETER"
    INDICATOR_LIMIT = "INDICATOR_LIMIT"
    FORMULA_SYNTAX = "FORMULA_SYNTAX"
    FORMULA_NAME = "FORMULA_NAME"
    FORMULA_ARGUMENT = "FORMULA_ARGUMENT"
    FORMULA_LIMIT = "FORMULA_LIMIT"
    FORMULA_TITLE = "FORMULA_TITLE"


MEANINGS: Final[Mapping[ChartReason, str]] = {
    ChartReason.INDICATOR_UNREADABLE: "It is not written as `NAME(parameters)`.",
    ChartReason.INDICATOR_UNKNOWN: "No indicator has this name.",
    ChartReason.INDICATOR_PARAMETER: "A parameter that it does not have, or a value that it cannot"
    " take; `parameter` names it.",
    ChartReason.INDICATOR_LIMIT: "More indicators, or more work, than one chart may ask for.",
    ChartReason.FORMULA_SYNTAX: "The text is no formula; `position` says from where on.",
    ChartReason.FORMULA_NAME: "A name that the formula language does not have.",
    ChartReason.FORMULA_ARGUMENT: "A function got too few, too many or unfit arguments.",
    ChartReason.FORMULA_LIMIT: "The formula is too long, too deep or too much work.",
    ChartReason.FORMULA_TITLE: "The name of a formula is not allowed or taken, or there are as many"
    " as a person may keep.",
}


class ChartError(Exception):
    """What was asked of a chart and cannot be: reason, sentence and facts."""

    def __init__(self, reason: ChartReason, message: str, **facts: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.facts = facts


class FormulaError(ChartError):
    """A formula that is turned down; `position` counts its characters from 0."""

    def __init__(self, reason: ChartReason, message: str, position: int) -> None:
        super().__init__(reason, message, position=position)
        self.position = position
