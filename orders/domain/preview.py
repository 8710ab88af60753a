"""What an order would cost and whether it would pass now: an estimate from the newest depth, for
the ticket.

It runs the engine's own checks over what the page can see. Only the engine decides: by the time the
order arrives the book has moved.
"""

from dataclasses import dataclass
from decimal import Decimal

from core.domain.units import UNITS_PER_ONE, decimal_to_units, divide_half_up, units_to_decimal
from marketdata.domain.market_states import MarketState
from orders.domain.matching.collar import collar_price
from orders.domain.matching.stops import protected_price
from orders.domain.preview_checks import (
    DraftOrder,
    Market,
    Means,
    check_conditions,
    check_form,
    check_market,
    check_means,
    check_restricted,
    check_value,
    fee_amount,
)
from orders.domain.values import OrderType, Side, TimeInForce
from portfolio.domain.fees import fee_of
from risk.domain.checks import InstrumentTerms
from risk.domain.reasons import Denial, DenialReason


@dataclass(frozen=True, slots=True)
class Preview:
    """`price` is the average to expect, `notional` what is paid or received; None without a price.

    `fee` is the fee to expect: the taker's on what trades at once, the maker's on the rest.

    `takeable` is what the other side offers now within the limit; nothing where the order
    `waits_in` a market that is CLOSED or in AUCTION, and then a market order has no price yet. A
    stop order is priced at what it holds: its limit or protection, a sell without one at its stop
    price.

    `free_after` is the buying power that is left once the order stands: less what it pays and sets
    aside, fees included, or more by what it is paid.
    """

    price: Decimal | None
    notional: Decimal | None
    takeable: Decimal
    denial: Denial | None
    waits_in: MarketState | None = None
    fee: Decimal | None = None
    free_after: Decimal | None = None


def preview(draft: DraftOrder, market: Market, *, terms: InstrumentTerms, means: Means) -> Preview:
    """An order off the instrument's grid is refused before anything is estimated, as in the
    engine.
    """
    denial = check_form(draft, terms, means)
    if denial is not None:
        return Preview(price=None, notional=None, takeable=Decimal(0), denial=denial)
    if draft.is_held:
        return _preview_held(draft, terms, means)
    if draft.stop_price is not None:
        return _preview_stop(draft, draft.stop_price, market, terms, means)
    is_waiting = market.keeps_waiting(draft)
    worst = _worst_price(draft, market, terms)
    offered, cost = (Decimal(0), Decimal(0)) if is_waiting else _take(draft, market, worst)
    is_killed = draft.time_in_force is TimeInForce.FOK and offered < draft.quantity
    taken, paid = (Decimal(0), Decimal(0)) if is_killed else (offered, cost)
    limit = draft.limit_price or Decimal(0)
    resting = draft.quantity - taken if draft.may_rest else Decimal(0)
    later, quantity = resting * limit, taken + resting
    if draft.limit_price is not None:
        # A limit order sets aside its whole value at the limit, also where it would trade better.
        values = draft.quantity * limit, cost + (draft.quantity - offered) * limit
    elif is_waiting and worst is not None:
        values = draft.quantity * worst, draft.quantity * worst
    else:
        values = cost, cost
    return Preview(
        price=divide_half_up(paid + later, quantity) if quantity else None,
        notional=paid + later if quantity else None,
        takeable=taken,
        denial=_denial(draft, market, values, terms, means),
        waits_in=market.collects,
        fee=fee_amount(paid, means.taker_rate) + fee_amount(later, means.maker_rate)
        if quantity
        else None,
        free_after=_free_after(draft, paid, later, means) if quantity else None,
    )


def _preview_held(draft: DraftOrder, terms: InstrumentTerms, means: Means) -> Preview:
    """A leg that waits for its entry: it trades nothing now, and what it will need the entry brings
    (docs/order-groups.md N9).
    """
    price = draft.limit_price or draft.stop_price
    return Preview(
        price=price,
        notional=None if price is None else draft.quantity * price,
        takeable=Decimal(0),
        denial=check_restricted(draft, terms, means),
    )


def _preview_stop(
    draft: DraftOrder, stop_price: Decimal, market: Market, terms: InstrumentTerms, means: Means
) -> Preview:
    """A stop order trades nothing now: what it holds, and whether it may wait at all."""
    limit = draft.limit_price
    if draft.type is OrderType.STOP and draft.side is Side.BUY:
        limit = _protection(stop_price, terms)
    held = limit or stop_price
    value = draft.quantity * held
    return Preview(
        price=held,
        notional=value,
        takeable=Decimal(0),
        denial=_denial(draft, market, (value, value), terms, means),
        fee=fee_amount(value, means.taker_rate),
        free_after=_free_after(draft, Decimal(0), value, means),
    )


def _protection(stop_price: Decimal, terms: InstrumentTerms) -> Decimal:
    units = decimal_to_units(stop_price)
    assert units is not None  # on the grid: checked before
    ticks = protected_price(units // terms.tick_units, terms.tick_units)
    return Decimal(ticks * terms.tick_units) / UNITS_PER_ONE


def _worst_price(draft: DraftOrder, market: Market, terms: InstrumentTerms) -> Decimal | None:
    """The order's limit; of a market order its collar (docs/market-states.md B2)."""
    if draft.limit_price is not None or not market.opposite:
        return draft.limit_price
    units = decimal_to_units(market.opposite[0][0])
    assert units is not None  # a price of the book
    ticks = collar_price(draft.side, units // terms.tick_units, market.band_bps)
    return Decimal(ticks * terms.tick_units) / UNITS_PER_ONE


def _take(draft: DraftOrder, market: Market, worst: Decimal | None) -> tuple[Decimal, Decimal]:
    """Quantity and value that the other side gives now, from its best price to `worst`."""
    taken, paid = Decimal(0), Decimal(0)
    for price, size in market.opposite:
        is_past_limit = worst is not None and (
            price > worst if draft.side is Side.BUY else price < worst
        )
        if is_past_limit or taken >= draft.quantity:
            break
        part = min(size, draft.quantity - taken)
        taken += part
        paid += part * price
    return taken, paid


def _free_after(draft: DraftOrder, paid: Decimal, later: Decimal, means: Means) -> Decimal | None:
    """Whatever an order sets aside it sets aside with the taker's fee (H3). Not told where a
    position of a margin account is closed: what that frees hangs on its other positions.
    """
    if means.margin is not None:
        if means.closes(draft.side):
            return None
        units = decimal_to_units(paid + later)
        assert units is not None  # on the grid: checked before
        used = means.margin.required(draft.side, units) + fee_of(units, means.taker_rate)
        left = max(means.margin.excess_units - used, 0) * means.margin.multiplier
        return units_to_decimal(left)
    free = units_to_decimal(means.free_units)
    fee = fee_amount(paid, means.taker_rate)
    if draft.side is Side.SELL:
        return free + paid - fee
    return free - paid - fee - later - fee_amount(later, means.taker_rate)


def _denial(
    draft: DraftOrder,
    market: Market,
    values: tuple[Decimal, Decimal],
    terms: InstrumentTerms,
    means: Means,
) -> Denial | None:
    """`values`: what the order sets aside, and what it is expected to be worth."""
    reserved, expected = (decimal_to_units(value) for value in values)
    assert reserved is not None and expected is not None  # on the grid: checked before
    denial = check_market(draft, market, terms, means)
    is_now = draft.type is OrderType.MARKET and not market.keeps_waiting(draft)
    if denial is None and is_now:
        denial = market.silence
    if denial is None and is_now and not expected:
        denial = Denial(DenialReason.LIQUIDITY_NONE, {"symbol": terms.symbol})
    return (
        denial
        or check_value(reserved, expected, terms)
        or check_conditions(draft, market, terms, means)
        or check_means(draft, reserved, terms, means)
    )
