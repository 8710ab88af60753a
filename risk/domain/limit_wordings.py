"""What a trader reads when a limit or a state refuses, by reason code; filled in by the facts.

Every one is answered with 403: the order is well formed, and not allowed; too many with 429.
"""

from typing import Final

SENTENCES: Final = {
    "LIMIT_ORDER_QUANTITY": (
        "{scope}: an order may ask for at most {limit} {symbol}; this one asks for {would_be}. "
        "Lower the quantity, or ask for a higher limit."
    ),
    "LIMIT_ORDER_VALUE": (
        "{scope}: an order may be worth at most {limit} {currency}; this one is worth {would_be}. "
        "Lower the quantity, or ask for a higher limit."
    ),
    "LIMIT_OPEN_ORDERS": (
        "{scope}: at most {limit} orders may be open; with this one there would be {would_be}. "
        "Cancel one first, or ask for a higher limit."
    ),
    "LIMIT_POSITION": (
        "{scope}: at most {limit} {symbol} may be held, long or short; with this order filled it "
        "would be {would_be}. Lower the quantity, or ask for a higher limit."
    ),
    "LIMIT_RESTRICTED": (
        "{scope}: {symbol} is on the restricted list, {allowed}. Ask whoever manages risk."
    ),
    "LIMIT_LEVERAGE": (
        "{scope}: positions and open orders may be worth at most {limit} times the account's "
        "equity; with this order it would be {would_be}. Lower the quantity, or add cash."
    ),
    "LIMIT_PRICE_COLLAR": (
        "{scope}: a price may be at most {limit} basis points worse than the market's, {reference}"
        " for {symbol}; this one is {would_be} worse. Check the price."
    ),
    "LIMIT_REPEATED_ORDERS": (
        "{scope}: the same order may come at most {limit} times in {window} seconds. {stopped} is "
        "stopped until somebody enables it again."
    ),
    "REFERENCE_CROSSED": (
        "{scope}: prices of {symbol} are checked against the market, whose bid and ask are crossed"
        " now. Wait until they are not."
    ),
    "REFERENCE_MISSING": (
        "{scope}: prices of {symbol} are checked against the market, which has shown none yet. "
        "Wait for a price."
    ),
    "REFERENCE_STALE": (
        "{scope}: prices of {symbol} are checked against the market, whose last price is too old. "
        "Wait for a new one."
    ),
    "LIMIT_EXPOSURE": (
        "{scope}: positions and open orders may be worth at most {limit} {currency}; with this "
        "order it would be {would_be}. Lower the quantity, or ask for a higher limit."
    ),
    "FOUR_EYES_REQUIRED": (
        "From {state} to {wanted} takes two persons: one asks for it, another approves."
    ),
    "SAME_PERSON": ("You asked for this yourself; somebody else has to approve it."),
    "TRADING_CANCEL_ONLY": (
        "{scope} takes no new orders; open ones can be canceled. Ask an operator to enable it."
    ),
    "TRADING_HALTED": (
        "Trading is halted for {scope} and its orders are canceled. Ask an operator to enable it."
    ),
    "TRADING_REDUCE_ONLY": (
        "{scope} takes only orders that lessen a position, here to {side} at most {available}"
        " {symbol}."
    ),
    "INSTRUMENT_AUCTION": (
        "{symbol} is in an auction: nothing trades at once. Send a day, gtc or gtd order, and it"
        " takes part."
    ),
    "INSTRUMENT_POST_ONLY": (
        "{symbol} takes only orders that rest now. Send a limit order (day or gtc) whose price does"
        " not meet the other side, or wait."
    ),
}

SENTENCES_WITHOUT_SCOPE: Final = {
    "REFERENCE_MISSING": (
        "No price for {symbol} has come in yet: a market order would trade blind. Use a limit"
        " order, or wait."
    ),
    "REFERENCE_STALE": (
        "No fresh price for {symbol} since {since}: a market order would trade blind. Use a limit"
        " order, or wait."
    ),
}
"""Of a market order on an instrument whose feed is silent (docs/risk.md M17)."""
