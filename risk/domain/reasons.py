"""Why an order may not pass: the closed list of reason codes with the sentence a trader reads.

Each has the HTTP status and the dialect code that stock clients understand. Filled in by the facts.
"""

from dataclasses import dataclass
from typing import Final

from risk.domain.limit_wordings import SENTENCES, SENTENCES_WITHOUT_SCOPE
from risk.domain.reason_codes import FORBIDDEN, UNPROCESSABLE, DenialReason, Wording

__all__ = ["WORDINGS", "Denial", "DenialReason", "Wording"]

WORDINGS: Final[dict[DenialReason, Wording]] = {
    DenialReason.ACCOUNT_UNKNOWN: Wording(404, 40410000, "There is no such trading account."),
    DenialReason.AMEND_NOT_LESS: Wording(
        *UNPROCESSABLE,
        "The new quantity must be above {filled} and below {quantity}: an amend only lowers it. "
        "To raise it, replace the order; to end it, cancel it.",
    ),
    DenialReason.AUCTION_NOT_HELD: Wording(
        *UNPROCESSABLE,
        "{symbol} trades around the clock: it has no opening and no closing auction. Send a day,"
        " gtc, gtd, ioc or fok order.",
    ),
    DenialReason.AUCTION_TOO_LATE: Wording(
        *FORBIDDEN,
        "Orders for this auction of {symbol} were taken until {until}. Send a day order, or wait"
        " for the next.",
    ),
    DenialReason.CALENDAR_UNKNOWN: Wording(
        *FORBIDDEN,
        "The trading hours of {symbol} ({calendar}) are not known that far ahead. Nothing was done;"
        " tell the operators.",
    ),
    DenialReason.CLIENT_ORDER_ID_DUPLICATE: Wording(
        *UNPROCESSABLE, "client_order_id must be unique: order {order_id} already has it."
    ),
    DenialReason.CURRENCY_NOT_HELD: Wording(
        *FORBIDDEN, "{symbol} trades in {currency}, which this account does not hold."
    ),
    DenialReason.EXPIRY_NOT_ALLOWED: Wording(
        *UNPROCESSABLE, "Only a gtd order takes expires_at. Leave it out, or send gtd."
    ),
    DenialReason.EXPIRY_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE,
        "expires_at must lie ahead (it is {now}) and at most {maximum_days} days away.",
    ),
    DenialReason.EXPIRY_REQUIRED: Wording(
        *UNPROCESSABLE, "A gtd order needs expires_at, a time such as 2026-01-31T15:30:00Z."
    ),
    DenialReason.FEE_RATES_INVALID: Wording(
        *UNPROCESSABLE,
        "Fee rates are basis points with at most four decimals: 0 <= maker <= taker <= {maximum}.",
    ),
    DenialReason.FEE_TIER_UNKNOWN: Wording(
        *UNPROCESSABLE, "There is no fee tier {code}. Make it first."
    ),
    DenialReason.DEADLINE_PASSED: Wording(
        *UNPROCESSABLE,
        "The order reached the engine after its deadline, so it was not taken. Send it again with "
        "a later one if it is still wanted.",
    ),
    DenialReason.FUNDS_INSUFFICIENT: Wording(
        *FORBIDDEN,
        "insufficient balance for {currency} (requested: {required}, available: {available}). "
        "Lower the quantity or the price, or cancel orders that hold cash.",
    ),
    DenialReason.GROUP_DIRECTION_INVALID: Wording(
        *UNPROCESSABLE,
        "{order_class} does not fit the position in {symbol}: the entry of a bracket or oto order"
        " must open or add to a position, an oco order must close one.",
    ),
    DenialReason.GROUP_LEGS_INVALID: Wording(
        *UNPROCESSABLE,
        "{order_class} does not go with these legs: a bracket or oco order needs take_profit and"
        " stop_loss, an oto order one of them, a simple order none.",
    ),
    DenialReason.GROUP_NOT_OFFERED: Wording(
        *UNPROCESSABLE, "{symbol} takes simple orders only: order_class must be simple."
    ),
    DenialReason.GROUP_PRICES_INVALID: Wording(
        *UNPROCESSABLE,
        "{price} {value} is on the wrong side of {other} {other_value}: take_profit must lie on the"
        " winning side of the price, stop_loss.stop_price on the losing side, and"
        " stop_loss.limit_price not before its stop.",
    ),
    DenialReason.GROUP_TERMS_FIXED: Wording(
        *UNPROCESSABLE,
        "The order belongs to a group: its prices can be changed, its quantity and time in force"
        " cannot. Cancel the group and send another.",
    ),
    DenialReason.GROUP_TIF_NOT_ALLOWED: Wording(
        *UNPROCESSABLE, "A {order_class} order takes time_in_force day or gtc, not {time_in_force}."
    ),
    DenialReason.GROUP_TYPE_NOT_ALLOWED: Wording(
        *UNPROCESSABLE,
        "A {order_class} order does not take type {type}: an oco order is a limit order, the entry"
        " of another a market, limit, stop or stop_limit order.",
    ),
    DenialReason.INSTRUMENT_HALTED: Wording(
        *FORBIDDEN, "Trading in {symbol} is halted. Open orders can still be canceled."
    ),
    DenialReason.INSTRUMENT_CANCEL_ONLY: Wording(
        *FORBIDDEN, "{symbol} takes no new orders now. Open orders can still be canceled."
    ),
    DenialReason.INSTRUMENT_UNKNOWN: Wording(
        *UNPROCESSABLE, 'asset "{symbol}" not found. See /v2/assets for what trades here.'
    ),
    DenialReason.LIMIT_INVALID: Wording(*UNPROCESSABLE, "There can be no such limit: {why}."),
    DenialReason.LIMIT_ORDER_RATE: Wording(
        429,
        42910000,
        "{scope}: at most {limit} orders may come in {window} seconds. Send fewer, or ask for a "
        "higher limit.",
    ),
    DenialReason.LIQUIDITY_NONE: Wording(
        *FORBIDDEN, "Nobody offers the other side of {symbol} now. Use a limit order, or wait."
    ),
    DenialReason.MARKET_CLOSED: Wording(
        *FORBIDDEN,
        "The market of {symbol} is closed until {opens_at}: nothing trades at once. Send a day,"
        " gtc or gtd order, and it takes part in the opening.",
    ),
    DenialReason.MARGIN_CALLED: Wording(
        *FORBIDDEN,
        "The account is below its maintenance requirement until {deadline}: only orders that close"
        " a position are taken. Close one, or deposit cash.",
    ),
    DenialReason.MARGIN_IN_USE: Wording(
        *UNPROCESSABLE,
        "The account has a loan or a short position (cash {total}). Close them first.",
    ),
    DenialReason.MARGIN_INVALID: Wording(
        *UNPROCESSABLE, "The multiplier is 1, 2 or 4, and short selling needs 2 or 4."
    ),
    DenialReason.MARGIN_ORDERS_OPEN: Wording(
        *UNPROCESSABLE, "The account has {open_orders} open orders. Cancel them first."
    ),
    DenialReason.NOT_SHORTABLE: Wording(
        *FORBIDDEN, 'asset "{symbol}" cannot be sold short. Sell no more than you hold.'
    ),
    DenialReason.NOTIONAL_ABOVE_MAXIMUM: Wording(
        *UNPROCESSABLE, "The order's value {notional} is above the maximum of {maximum}."
    ),
    DenialReason.NOTIONAL_BELOW_MINIMUM: Wording(
        *UNPROCESSABLE, "The order's value {notional} is below the minimum of {minimum}."
    ),
    DenialReason.OPENING_ORDERS_MIXED: Wording(
        *FORBIDDEN, "An open order opens a position in {symbol} on the other side. Cancel it first."
    ),
    DenialReason.OPEN_ORDERS_EXCEEDED: Wording(
        *FORBIDDEN,
        "The account has {open_orders} open orders, the most allowed. Cancel some first.",
    ),
    DenialReason.ORDER_NOT_OPEN: Wording(
        *UNPROCESSABLE, "The order is not open, so it can be neither canceled nor changed."
    ),
    DenialReason.ORDER_UNCHANGED: Wording(
        *UNPROCESSABLE,
        "order parameters are not changed. Name a quantity, a price, a time in force or a "
        "client_order_id that differs.",
    ),
    DenialReason.PLAN_REFUSED: Wording(*UNPROCESSABLE, "The plan is not taken: {why}."),
    DenialReason.PLAN_UNKNOWN: Wording(*UNPROCESSABLE, "There is no such plan, or it is over."),
    DenialReason.POSITION_INSUFFICIENT: Wording(
        *FORBIDDEN,
        "insufficient qty available for order (requested: {requested}, available: {available})",
        "insufficient balance for {base} (requested: {requested}, available: {available}). "
        "Lower the quantity, or cancel orders that hold it.",
    ),
    DenialReason.POST_ONLY_NOT_ALLOWED: Wording(
        *UNPROCESSABLE,
        "Only a limit order with time_in_force day or gtc can be post-only. Leave post_only out, "
        "or send such an order.",
    ),
    DenialReason.POST_ONLY_WOULD_TAKE: Wording(
        *UNPROCESSABLE,
        "The order is post-only and would trade at once: {symbol} is offered at {best_price}. "
        "Choose a limit that does not reach it.",
    ),
    DenialReason.PRICE_NOT_ALLOWED: Wording(
        *UNPROCESSABLE,
        "A market or stop order takes no limit price. Leave it out, or send a limit or stop-limit"
        " order.",
    ),
    DenialReason.PRICE_OFF_TICK: Wording(
        *UNPROCESSABLE,
        "invalid limit_price {limit_price}. It must be a multiple of {tick_size} for {symbol}.",
    ),
    DenialReason.PRICE_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE, "limit_price must be above 0 and at most {maximum}."
    ),
    DenialReason.PRICE_REQUIRED: Wording(
        *UNPROCESSABLE, "A limit or stop-limit order needs a limit_price."
    ),
    DenialReason.QUANTITY_OFF_LOT: Wording(
        *UNPROCESSABLE, "invalid qty {quantity}. It must be a multiple of {lot_size} for {symbol}."
    ),
    DenialReason.QUANTITY_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE, "qty must be above 0 and at most {maximum}."
    ),
    DenialReason.REDUCE_ONLY_EXCEEDS: Wording(
        *UNPROCESSABLE,
        "The order is reduce-only and asks for {requested} of {symbol}, but only {available} of "
        "the position is left to reduce. Lower the quantity.",
    ),
    DenialReason.SELF_TRADE: Wording(
        *FORBIDDEN,
        "potential wash trade detected: an open order of the same owner stands on the other side. "
        "Cancel it first, or name another stp_mode.",
    ),
    DenialReason.STOP_ELECTED: Wording(
        *UNPROCESSABLE,
        "The order's stop price {stop_price} was reached already, so it cannot be changed. Leave "
        "it out, or cancel the order and send a new one.",
    ),
    DenialReason.STOP_PRICE_NOT_ALLOWED: Wording(
        *UNPROCESSABLE,
        "Only a stop or stop-limit order takes a stop price. Leave it out, or send one of these.",
    ),
    DenialReason.STOP_PRICE_OFF_TICK: Wording(
        *UNPROCESSABLE,
        "invalid stop_price {stop_price}. It must be a multiple of {tick_size} for {symbol}.",
    ),
    DenialReason.STOP_PRICE_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE, "stop_price must be above 0 and at most {maximum}."
    ),
    DenialReason.STOP_PRICE_PASSED: Wording(
        *UNPROCESSABLE,
        "{symbol} last traded at {last_price}, which has passed the stop price {stop_price}"
        " already. Choose one that lies ahead of the market, or send a market order.",
    ),
    DenialReason.STOP_PRICE_REQUIRED: Wording(
        *UNPROCESSABLE, "A stop or stop-limit order needs a stop_price."
    ),
    DenialReason.TIF_NOT_ALLOWED: Wording(
        *UNPROCESSABLE,
        "A stop order waits for its price: time_in_force must be day, gtc or gtd, not"
        " {time_in_force}.",
    ),
    DenialReason.TRADING_SUSPENDED: Wording(
        *FORBIDDEN,
        "new orders are rejected by user request: trading is suspended by the account's"
        " configuration. Set suspend_trade to false.",
    ),
    DenialReason.DISPLAY_NOT_ALLOWED: Wording(
        *UNPROCESSABLE,
        "Only a simple limit order with time_in_force day, gtc or gtd can hide a part. Leave"
        " display_qty out.",
    ),
    DenialReason.DISPLAY_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE,
        "display_qty must be a multiple of {lot_size}, at most the quantity {quantity} and at least"
        " one {slices}th of it.",
    ),
    DenialReason.NOTIONAL_NOT_ALLOWED: Wording(
        *UNPROCESSABLE,
        "Only a market order that trades at once takes a notional, and no quantity beside it. Send"
        " a quantity instead.",
    ),
    DenialReason.NOTIONAL_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE,
        "notional must be above 0, at most {maximum} and have at most 8 decimals.",
    ),
    DenialReason.NOTIONAL_TOO_SMALL: Wording(
        *UNPROCESSABLE,
        "One lot of {symbol} is worth {lot_value} now, more than the notional of {notional}.",
    ),
    DenialReason.SESSION_ENDED: Wording(
        *UNPROCESSABLE,
        "The connection over which the order came has ended, and with it its orders.",
    ),
    DenialReason.SESSIONS_EXCEEDED: Wording(
        *UNPROCESSABLE, "There are {maximum} connections already whose orders end with them."
    ),
    DenialReason.TRAIL_NOT_ALLOWED: Wording(
        *UNPROCESSABLE,
        "Only a trailing stop takes trail_price, trail_percent or trail. Leave it out, or send"
        " one.",
    ),
    DenialReason.TRAIL_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE,
        "The trail puts the stop price in {symbol} at {stop_price}: it must be above 0 and at most"
        " {maximum}.",
    ),
    DenialReason.TRAIL_PERCENT_INVALID: Wording(
        *UNPROCESSABLE, "trail_percent must be above 0, below 100 and have at most 4 decimals."
    ),
    DenialReason.TRAIL_PRICE_INVALID: Wording(
        *UNPROCESSABLE, "trail_price must be above 0 and a multiple of {tick_size} for {symbol}."
    ),
    DenialReason.TRAIL_REFERENCE_NONE: Wording(
        *UNPROCESSABLE,
        "{symbol} has no trade and no quote yet that a trailing stop could follow. Try again when"
        " it trades.",
    ),
    DenialReason.TRAIL_REQUIRED: Wording(
        *UNPROCESSABLE, "A trailing stop needs trail_price or trail_percent, and not both."
    ),
    DenialReason.AMOUNT_INVALID: Wording(
        *UNPROCESSABLE,
        "The amount must not be zero, has at most 8 decimals and is at most {maximum}.",
    ),
    DenialReason.DESK_NOT_JOINED: Wording(
        *UNPROCESSABLE, "The account cannot join or leave the desk: {why}."
    ),
    DenialReason.SCOPE_UNKNOWN: Wording(404, 40410000, "There is no such scope."),
    DenialReason.STATE_CHANGED_MEANWHILE: Wording(
        409,
        40910000,
        "It has been changed again since this was asked for. Look at it anew and ask again.",
    ),
    **{
        DenialReason(code): Wording(
            *FORBIDDEN, text, sentence_without_scope=SENTENCES_WITHOUT_SCOPE.get(code, "")
        )
        for code, text in SENTENCES.items()
    },
}


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal by rule: the reason and the facts that caused it, as they go on the wire."""

    reason: DenialReason
    facts: dict[str, str]

    @property
    def sentence(self) -> str:
        """In the dialect's words, which differ for a pair: clients look for them."""
        wording = WORDINGS[self.reason]
        base, slash, _ = self.facts.get("symbol", "").partition("/")
        text = wording.sentence_of_pair if slash else ""
        if "scope" not in self.facts:
            text = text or wording.sentence_without_scope
        return (text or wording.sentence).format_map(self.facts | {"base": base})
