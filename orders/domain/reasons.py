"""Why an order ended without being filled: the closed list, with the words shown beside it.

Refusals before acceptance are risk.domain.reasons.DenialReason.
"""

from enum import StrEnum
from typing import Final


class CloseReason(StrEnum):
    USER_REQUESTED = "USER_REQUESTED"
    OPERATOR_REQUESTED = "OPERATOR_REQUESTED"
    IOC_REMAINDER = "IOC_REMAINDER"
    FOK_UNFILLABLE = "FOK_UNFILLABLE"
    LIQUIDITY_EXHAUSTED = "LIQUIDITY_EXHAUSTED"
    DAY_END = "DAY_END"


CLOSE_SENTENCES: Final[dict[CloseReason, str]] = {
    CloseReason.USER_REQUESTED: "Canceled on request.",
    CloseReason.OPERATOR_REQUESTED: "Canceled by an operator.",
    CloseReason.IOC_REMAINDER: "Immediate-or-cancel: the part not filled at once was canceled.",
    CloseReason.FOK_UNFILLABLE: "Fill-or-kill: the whole quantity could not be filled at once.",
    CloseReason.LIQUIDITY_EXHAUSTED: "The market had no more quantity; the rest was canceled.",
    CloseReason.DAY_END: "The day order ended with the trading day.",
}
