"""Whether a draft order would pass, as far as a page can see: the engine's checks, in its order.

Asked by orders/domain/preview.py. What the engine alone knows (how many orders are open, what came
in meanwhile) it decides when the order arrives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.domain.clock import to_ns, wire_time
from core.domain.decimals import to_wire
from core.domain.units import decimal_to_units, units_to_decimal
from marketdata.domain.market_states import MarketState
from marketdata.domain.sessions import NEVER_CLOSED, MarketHours
from orders.domain.matching.collar import MARKET_BAND_BPS
from orders.domain.matching.stops import is_passed
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from portfolio.domain.fees import fee_of
from portfolio.domain.margin import initial_percent, share_of
from risk.domain import checks
from risk.domain.checks import InstrumentTerms
from risk.domain.reasons import Denial, DenialReason
from risk.domain.states import REFUSALS, TradingState

RESTING: Final = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD})
AUCTIONS: Final = frozenset({TimeInForce.OPG, TimeInForce.CLS})
POSTABLE: Final = frozenset({TimeInForce.DAY, TimeInForce.GTC})


@dataclass(frozen=True, slots=True)
class DraftOrder:
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    post_only: bool = False
    reduce_only: bool = False
    stp_mode: StpMode = StpMode.REJECT
    is_held: bool = False
    """It waits for the entry of its group, and asks for no market and no means until then (N9)."""

    @property
    def may_rest(self) -> bool:
        """Whether what does not trade at once goes into the book."""
        return self.limit_price is not None and self.time_in_force in RESTING | AUCTIONS

    @property
    def waits_for_auction(self) -> bool:
        """Whether it takes part in the opening or the closing and trades at no other time."""
        return self.time_in_force in AUCTIONS


@dataclass(frozen=True, slots=True)
class Market:
    """The other side of the book, best price first, as (price, size); `last_price` is that of a
    fresh last trade, if there is one; `band_bps` how far a market order may trade; `state` what is
    set, which `hours` may close; `silence` what refuses a market order while the instrument's feed
    tells nothing (docs/risk.md M17).
    """

    opposite: Sequence[tuple[Decimal, Decimal]]
    last_price: Decimal | None = None
    band_bps: int = MARKET_BAND_BPS
    state: MarketState = MarketState.OPEN
    hours: MarketHours = NEVER_CLOSED
    silence: Denial | None = None

    @property
    def collects(self) -> MarketState | None:
        """In which state it keeps orders for an auction and trades nothing (X4), if in one."""
        if not self.hours.is_open:
            return MarketState.CLOSED
        return MarketState.AUCTION if self.state is MarketState.AUCTION else None

    def keeps_waiting(self, draft: DraftOrder) -> bool:
        """Whether the order trades nothing before an auction."""
        return draft.waits_for_auction or self.collects is not None


@dataclass(frozen=True, slots=True)
class MarginMeans:
    """What a margin account may do with the instrument (docs/fees-and-margin.md L3 to L7)."""

    excess_units: int
    multiplier: int
    is_marginable: bool
    may_short: bool

    def required(self, side: Side, reserved: int) -> int:
        """What an order of this value requires of the excess when it opens a position."""
        percent = initial_percent(
            self.multiplier, is_marginable=self.is_marginable, is_short=side is Side.SELL
        )
        return share_of(reserved, percent)


@dataclass(frozen=True, slots=True)
class Means:
    """What the account has to trade with, and what binds it.

    Free cash, its position in the instrument, the fee rates that it pays (portfolio.domain.fees);
    `closable` is what its open orders leave to close of the position, `own_opposite` the best price
    at which its owner rests on the other side; `restricted` the strictest scope and its state.
    """

    free_units: int
    position_units: int
    locked_units: int
    maker_rate: int = 0
    taker_rate: int = 0
    closable: Decimal = Decimal(0)
    own_opposite: Decimal | None = None
    is_suspended: bool = False
    restricted: tuple[str, TradingState] | None = None
    margin: MarginMeans | None = None

    def closes(self, side: Side) -> bool:
        """Whether an order of this side lessens the position that there is."""
        return self.position_units > 0 if side is Side.SELL else self.position_units < 0


def check_form(draft: DraftOrder, terms: InstrumentTerms, means: Means) -> Denial | None:
    """What needs no market: on the grid, and of a form that there is."""
    if means.is_suspended:
        return Denial(DenialReason.TRADING_SUSPENDED, {})
    denial = checks.check_quantity(draft.quantity, terms)
    if denial is None and draft.limit_price is not None:
        denial = checks.check_price(draft.limit_price, terms)
    if denial is None and draft.stop_price is not None:
        denial = _check_waiting(draft) or checks.check_stop_price(draft.stop_price, terms)
    is_postable = draft.type is OrderType.LIMIT and draft.time_in_force in POSTABLE
    if denial is None and draft.post_only and not is_postable:
        denial = Denial(DenialReason.POST_ONLY_NOT_ALLOWED, {})
    return denial


def _check_waiting(draft: DraftOrder) -> Denial | None:
    if draft.time_in_force in RESTING:
        return None
    facts = {"time_in_force": draft.time_in_force.value.lower()}
    return Denial(DenialReason.TIF_NOT_ALLOWED, facts)


def check_market(
    draft: DraftOrder, market: Market, terms: InstrumentTerms, means: Means
) -> Denial | None:
    """Trading states and the market's state let it in, and no stop was passed already."""
    return (
        check_restricted(draft, terms, means)
        or _check_state(draft, market, terms)
        or _check_ahead(draft, market, terms)
    )


def check_restricted(draft: DraftOrder, terms: InstrumentTerms, means: Means) -> Denial | None:
    if means.restricted is None:
        return None
    scope, state = means.restricted
    facts = {"scope": scope, "symbol": terms.symbol}
    if state is TradingState.REDUCE_ONLY:
        if draft.quantity <= means.closable:
            return None
        facts |= {"side": draft.side.value.lower(), "available": to_wire(means.closable)}
    return Denial(REFUSALS[state], facts)


def _check_state(draft: DraftOrder, market: Market, terms: InstrumentTerms) -> Denial | None:
    """K1, K3, X1 and X4 of docs/market-states.md."""
    hours = market.hours
    if not hours.is_open and hours.opens_at is None:
        facts = {"symbol": terms.symbol, "calendar": hours.calendar}
        return Denial(DenialReason.CALENDAR_UNKNOWN, facts)
    reason = {
        MarketState.HALTED: DenialReason.INSTRUMENT_HALTED,
        MarketState.CANCEL_ONLY: DenialReason.INSTRUMENT_CANCEL_ONLY,
    }.get(market.state)
    if reason is None and market.collects:
        return _check_collecting(draft, market, terms)
    is_limited = market.state is MarketState.POST_ONLY and draft.stop_price is None
    if is_limited and (not draft.may_rest or _reaches(draft, _best(market))):
        reason = DenialReason.INSTRUMENT_POST_ONLY
    return None if reason is None else Denial(reason, {"symbol": terms.symbol})


def _check_collecting(draft: DraftOrder, market: Market, terms: InstrumentTerms) -> Denial | None:
    """What would have to trade at once is refused; everything else waits (X4)."""
    is_now = draft.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}
    if not (is_now or draft.post_only):
        return None
    opens_at, facts = market.hours.opens_at, {"symbol": terms.symbol}
    if opens_at is None:
        return Denial(DenialReason.INSTRUMENT_AUCTION, facts)
    return Denial(DenialReason.MARKET_CLOSED, facts | {"opens_at": wire_time(to_ns(opens_at))})


def _check_ahead(draft: DraftOrder, market: Market, terms: InstrumentTerms) -> Denial | None:
    """The market has not passed the stop price already (docs/matching.md E4)."""
    stop, last = draft.stop_price, market.last_price
    if stop is None or last is None or not is_passed(draft.side, stop, last):
        return None
    return Denial(
        DenialReason.STOP_PRICE_PASSED,
        {"symbol": terms.symbol, "stop_price": to_wire(stop), "last_price": to_wire(last)},
    )


def check_value(reserved: int, expected: int, terms: InstrumentTerms) -> Denial | None:
    """Worth what an order may be, by what it sets aside and by what it would bring."""
    return checks.check_notional(reserved, terms) or checks.check_largest_notional(expected)


def check_conditions(
    draft: DraftOrder, market: Market, terms: InstrumentTerms, means: Means
) -> Denial | None:
    """P1, O1 and U1 of docs/matching.md."""
    best = _best(market)
    if draft.post_only and best is not None and _reaches(draft, best):
        facts = {"symbol": terms.symbol, "best_price": to_wire(best)}
        return Denial(DenialReason.POST_ONLY_WOULD_TAKE, facts)
    is_asked = draft.stp_mode is StpMode.REJECT and draft.stop_price is None
    if is_asked and not market.collects and _reaches(draft, means.own_opposite):
        return Denial(DenialReason.SELF_TRADE, {"symbol": terms.symbol})
    if draft.reduce_only and draft.quantity > means.closable:
        return Denial(
            DenialReason.REDUCE_ONLY_EXCEEDS,
            {
                "symbol": terms.symbol,
                "requested": to_wire(draft.quantity),
                "available": to_wire(means.closable),
            },
        )
    return None


def check_means(
    draft: DraftOrder, reserved: int, terms: InstrumentTerms, means: Means
) -> Denial | None:
    """Cash for a buy and its fee, position for a sell; of a margin account its excess."""
    if means.margin is not None:
        return _check_margin(draft, reserved, terms, means, means.margin)
    if draft.side is Side.BUY:
        required = reserved + fee_of(reserved, means.taker_rate)
        return checks.check_funds(required, means.free_units, terms.currency)
    quantity = decimal_to_units(draft.quantity)
    assert quantity is not None  # on the grid: checked before
    return checks.check_position(quantity, means.position_units, means.locked_units, terms.symbol)


def _check_margin(
    draft: DraftOrder, reserved: int, terms: InstrumentTerms, means: Means, margin: MarginMeans
) -> Denial | None:
    """Closing needs the position, opening its initial requirement."""
    quantity = decimal_to_units(draft.quantity)
    assert quantity is not None  # on the grid: checked before
    is_short = draft.side is Side.SELL
    if means.closes(draft.side):
        held = abs(means.position_units)
        return checks.check_position(quantity, held, means.locked_units, terms.symbol)
    if is_short and not margin.may_short:
        return checks.check_position(quantity, 0, 0, terms.symbol)
    if is_short and not margin.is_marginable:
        return Denial(DenialReason.NOT_SHORTABLE, {"symbol": terms.symbol})
    required = margin.required(draft.side, reserved) + fee_of(reserved, means.taker_rate)
    return checks.check_funds(required, max(margin.excess_units, 0), terms.currency)


def fee_amount(notional: Decimal, rate: int) -> Decimal:
    units = decimal_to_units(notional)
    assert units is not None  # on the grid: checked before
    return units_to_decimal(fee_of(units, rate))


def _best(market: Market) -> Decimal | None:
    return market.opposite[0][0] if market.opposite else None


def _reaches(draft: DraftOrder, price: Decimal | None) -> bool:
    """Whether the order would trade at `price`; a market order trades wherever somebody stands."""
    if price is None or draft.limit_price is None:
        return price is not None
    limit = draft.limit_price
    return limit >= price if draft.side is Side.BUY else limit <= price
