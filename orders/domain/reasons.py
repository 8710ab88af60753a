"""Why an order ended without being filled: the closed list, with the words shown beside it.

Refusals before acceptance are risk.domain.reasons.DenialReason.
"""

from typing import Final

from core.domain.words import Word


class CloseReason(Word):
    USER_REQUESTED = "USER_REQUESTED"
    OPERATOR_REQUESTED = "OPERATOR_REQUESTED"
    IOC_REMAINDER = "IOC_REMAINDER"
    FOK_UNFILLABLE = "FOK_UNFILLABLE"
    LIQUIDITY_EXHAUSTED = "LIQUIDITY_EXHAUSTED"
    BAND_REACHED = "BAND_REACHED"
    VOLATILITY_BAND = "VOLATILITY_BAND"
    OPG_REMAINDER = "OPG_REMAINDER"
    CLS_REMAINDER = "CLS_REMAINDER"
    DAY_END = "DAY_END"
    GTD_END = "GTD_END"
    SELF_TRADE = "SELF_TRADE"
    REPLACED = "REPLACED"
    KILL_SWITCH = "KILL_SWITCH"
    REDUCE_ONLY = "REDUCE_ONLY"
    DEAD_MAN = "DEAD_MAN"
    GROUP_ENDED = "GROUP_ENDED"
    SIBLING_ELECTED = "SIBLING_ELECTED"
    SIBLING_FILLED = "SIBLING_FILLED"
    DISCONNECTED = "DISCONNECTED"
    MARGIN_CALL = "MARGIN_CALL"


CLOSE_SENTENCES: Final[dict[CloseReason, str]] = {
    CloseReason.USER_REQUESTED: "Canceled on request.",
    CloseReason.OPERATOR_REQUESTED: "Canceled by an operator.",
    CloseReason.IOC_REMAINDER: "Immediate-or-cancel: the part not filled at once was canceled.",
    CloseReason.FOK_UNFILLABLE: "Fill-or-kill: the whole quantity could not be filled at once.",
    CloseReason.LIQUIDITY_EXHAUSTED: "The market had no more quantity; the rest was canceled.",
    CloseReason.BAND_REACHED: "A market order trades only so far from the best price; the rest was"
    " canceled.",
    CloseReason.VOLATILITY_BAND: "The next trade would have left the volatility band, so the market"
    " pauses; the rest was canceled.",
    CloseReason.OPG_REMAINDER: "At the open only: the opening auction did not fill it.",
    CloseReason.CLS_REMAINDER: "At the close only: the closing auction did not fill it.",
    CloseReason.DAY_END: "The day order ended with the trading day.",
    CloseReason.GTD_END: "The order ended at the time it named.",
    CloseReason.DEAD_MAN: "The API key that placed it did not call in time, as it had asked to be"
    " watched.",
    CloseReason.GROUP_ENDED: "Another order of its group was canceled.",
    CloseReason.SIBLING_ELECTED: "The stop loss of its group was elected and took its place.",
    CloseReason.SIBLING_FILLED: "The other order of its pair was filled.",
    CloseReason.DISCONNECTED: "The connection that it was placed over ended, and with it its"
    " orders, as it had asked.",
    CloseReason.MARGIN_CALL: "The account's margin call was not met: its positions are being"
    " closed.",
    CloseReason.SELF_TRADE: "It would have traded with another open order of the same owner.",
    CloseReason.REPLACED: "Replaced by another order, which goes on in its stead.",
    CloseReason.KILL_SWITCH: "Trading was halted by the kill switch.",
    CloseReason.REDUCE_ONLY: "Trading was limited to orders that lessen a position.",
}
