"""What an order would cost and whether it would pass now: an estimate from the newest depth, for
the ticket.

It runs the engine's own checks over what the page can see. Only the engine decides: by the time the
order arrives the book has moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.domain.units import decimal_to_units, divide_half_up
from orders.domain.values import OrderType, Side
from risk.domain import checks
from risk.domain.checks import InstrumentTerms
from risk.domain.reasons import Denial, DenialReason


@dataclass(frozen=True, slots=True)
class DraftOrder:
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Means:
    """What the account has to trade with: free cash, and its position in the instrument."""

    free_units: int
    position_units: int
    locked_units: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`price` is the average to expect, `notional` what is paid or received; None without a price.

    `takeable` is what the other side offers now within the limit.
    """

    price: Decimal | None
    notional: Decimal | None
    takeable: Decimal
    denial: Denial | None


def preview(
    draft: DraftOrder,
    *,
    opposite: Sequence[tuple[Decimal, Decimal]],
    terms: InstrumentTerms,
    means: Means,
) -> Preview:
    """`opposite` is the other side of the book, best price first, as (price, size).

    An order off the instrument's grid is refused before anything is estimated, as in the engine.
    """
    denial = _check_grid(draft, terms)
    if denial is not None:
        return Preview(price=None, notional=None, takeable=Decimal(0), denial=denial)
    taken, paid = _take(draft, opposite)
    limit = draft.limit_price
    resting = draft.quantity - taken if limit is not None else Decimal(0)
    notional = paid + resting * (limit or 0)
    quantity = taken + resting
    is_priced = quantity > 0
    return Preview(
        price=divide_half_up(notional, quantity) if is_priced else None,
        notional=notional if is_priced else None,
        takeable=taken,
        denial=_denial(draft, notional if is_priced else None, terms, means),
    )


def _take(
    draft: DraftOrder, opposite: Sequence[tuple[Decimal, Decimal]]
) -> tuple[Decimal, Decimal]:
    """Quantity and value that the other side gives now, from its best price on."""
    taken, paid = Decimal(0), Decimal(0)
    for price, size in opposite:
        is_past_limit = draft.limit_price is not None and (
            price > draft.limit_price if draft.side is Side.BUY else price < draft.limit_price
        )
        if is_past_limit or taken >= draft.quantity:
            break
        part = min(size, draft.quantity - taken)
        taken += part
        paid += part * price
    return taken, paid


def _check_grid(draft: DraftOrder, terms: InstrumentTerms) -> Denial | None:
    denial = checks.check_quantity(draft.quantity, terms)
    if denial is not None or draft.limit_price is None:
        return denial
    return checks.check_price(draft.limit_price, terms)


def _denial(
    draft: DraftOrder, notional: Decimal | None, terms: InstrumentTerms, means: Means
) -> Denial | None:
    if notional is None:
        return Denial(DenialReason.LIQUIDITY_NONE, {"symbol": terms.symbol})
    # A limit order sets aside its whole value at the limit, also where it would trade better.
    reserved = draft.quantity * draft.limit_price if draft.limit_price is not None else notional
    units, expected = decimal_to_units(reserved), decimal_to_units(notional)
    quantity_units = decimal_to_units(draft.quantity)
    # On the grid: checked above.
    assert units is not None and expected is not None and quantity_units is not None
    return (
        checks.check_notional(units, terms)
        or checks.check_largest_notional(expected)
        or (
            checks.check_funds(units, means.free_units, terms.currency)
            if draft.side is Side.BUY
            else checks.check_position(
                quantity_units, means.position_units, means.locked_units, terms.symbol
            )
        )
    )
