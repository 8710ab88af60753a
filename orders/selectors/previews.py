"""What the ticket's order would meet: depth, balances and restrictions as a page can read them."""

from datetime import datetime
from decimal import Decimal

from core.domain.clock import to_ns
from core.domain.units import decimal_to_units
from marketdata.domain.market_states import MarketState
from marketdata.models import Instrument
from marketdata.selectors.feeds import follows_feed
from marketdata.selectors.hours import hours_now
from marketdata.selectors.live import (
    LiveDataUnavailableError,
    latest_books,
    latest_quotes,
    latest_trades,
)
from orders.domain.matching.street import STREET_TTL_NS
from orders.domain.order_class import Leg
from orders.domain.preview import Preview, preview
from orders.domain.preview_checks import DraftOrder, MarginMeans, Market, Means
from orders.domain.silence import denial_of_silence
from orders.domain.values import OrderStatus, OrderType, Side
from orders.models import Order
from portfolio.models import Balance, Hold, Position, TradingAccount
from portfolio.selectors import balance_of, fee_rates_of, margin_of
from risk.domain.checks import InstrumentTerms
from risk.domain.reasons import Denial
from risk.domain.scopes import ScopeKind, path_of, read_scope
from risk.domain.states import TradingState as State
from risk.models import TradingState

_WORDS = {
    ScopeKind.FIRM: "The firm",
    ScopeKind.DESK: "This desk",
    ScopeKind.ACCOUNT: "This account",
}


def preview_order(
    account: TradingAccount,
    instrument: Instrument,
    draft: DraftOrder,
    *,
    now: datetime,
    instead_of: Order | None = None,
) -> Preview:
    """What the order would cost and whether it would pass, by the newest depth and balances. What
    the order that it would stand `instead_of` holds counts as free (docs/matching.md R1).
    """
    return preview(
        draft,
        Market(
            opposite=_opposite_levels(instrument.symbol, draft.side),
            last_price=_fresh_last_price(instrument.symbol, now) if draft.stop_price else None,
            band_bps=instrument.market_band_bps,
            state=MarketState(instrument.status),
            hours=hours_now(instrument, now),
            silence=_silence(instrument, now) if draft.type is OrderType.MARKET else None,
        ),
        terms=terms_of(instrument),
        means=_means(account, instrument, draft, instead_of),
    )


def hold_behind(order: Order) -> Hold | None:
    """What the order has set aside; of the stop loss of a pair what holds for both
    (docs/order-groups.md N4).
    """
    holds = Hold.objects.filter(state=Hold.State.PENDING)
    if order.leg != Leg.STOP_LOSS:
        return holds.filter(order_id=order.pk).first()
    pair = Order.objects.filter(group_id=order.group_id).exclude(leg=Leg.ENTRY.value)
    return holds.filter(order_id__in=pair.values("pk")).order_by("-remaining", "order_id").first()


def terms_of(instrument: Instrument) -> InstrumentTerms:
    return InstrumentTerms(
        symbol=instrument.symbol,
        currency=instrument.quote_currency_id,
        tick_units=_units(instrument.tick_size),
        lot_units=_units(instrument.lot_size),
        min_notional_units=_units(instrument.min_notional),
    )


def _means(
    account: TradingAccount, instrument: Instrument, draft: DraftOrder, instead_of: Order | None
) -> Means:
    balance = balance_of(account)
    hold = hold_behind(instead_of) if instead_of else None
    cash_back = hold.remaining if hold and hold.currency_id else Decimal(0)
    quantity_back = hold.remaining if hold and hold.instrument_id else Decimal(0)
    balance.locked -= cash_back  # not saved: only what is asked here sees it
    maker_rate, taker_rate = fee_rates_of(account)
    position = Position.objects.filter(account=account, instrument=instrument).first()
    restricted = strictest_state(account, instrument)
    is_reducing = draft.reduce_only or (restricted and restricted[1] is State.REDUCE_ONLY)
    return Means(
        free_units=_units(balance.total - balance.locked),
        position_units=_units(position.quantity) if position else 0,
        locked_units=_units(position.locked - quantity_back) if position else 0,
        maker_rate=maker_rate,
        taker_rate=taker_rate,
        closable=_closable(position, draft.side, instead_of)
        if is_reducing and position
        else Decimal(0),
        own_opposite=_own_opposite(account, instrument, draft.side),
        is_suspended=account.is_suspended,
        margin=_margin_means(account, balance, instrument),
        restricted=restricted,
    )


def _margin_means(
    account: TradingAccount, balance: Balance, instrument: Instrument
) -> MarginMeans | None:
    if account.margin_multiplier == 1:
        return None
    return MarginMeans(
        excess_units=margin_of(account, balance).excess,
        multiplier=account.margin_multiplier,
        is_marginable=instrument.is_marginable,
        may_short=account.is_shorting_enabled and not account.is_long_only,
    )


def strictest_state(
    account: TradingAccount, instrument: Instrument | None = None
) -> tuple[str, State] | None:
    """The first scope with the strictest state on the way of the account's orders (docs/risk.md
    W1), in words; None when all are ACTIVE. Without an instrument: for whatever it trades.
    """
    path = path_of(account.desk_id, account.pk, None, instrument.pk if instrument else 0)
    keys = [scope.key for scope in path if scope.number or scope.kind is ScopeKind.FIRM]
    held = {row.scope: State(row.state) for row in TradingState.objects.filter(scope__in=keys)}
    worst: tuple[str, State] | None = None
    for key in keys:
        state = held.get(key, State.ACTIVE)
        if state.is_stricter_than(worst[1] if worst else State.ACTIVE):
            symbol = instrument.symbol if instrument else ""
            worst = (_WORDS.get(read_scope(key).kind, symbol), state)
    return worst


def _closable(position: Position, side: Side, instead_of: Order | None) -> Decimal:
    """What the account's other open orders of this side leave to close (docs/risk.md W4)."""
    held = position.quantity if side is Side.SELL else -position.quantity
    closing = Order.objects.filter(
        account=position.account_id,
        instrument=position.instrument_id,
        side=side.value,
        closed_at__isnull=True,
    )
    if instead_of is not None:
        closing = closing.exclude(pk=instead_of.pk)
    leaves = sum(
        (row.quantity - row.filled_quantity - row.prevented_quantity for row in closing),
        Decimal(0),
    )
    return max(held - leaves, Decimal(0))


def _own_opposite(account: TradingAccount, instrument: Instrument, side: Side) -> Decimal | None:
    """The best price at which the account's owner rests on the other side (docs/matching.md O1)."""
    resting = Order.objects.filter(
        account__owner=account.owner_id,
        instrument=instrument,
        side=side.opposite.value,
        closed_at__isnull=True,
        limit_price__isnull=False,
    ).exclude(stop_price__isnull=False, status=OrderStatus.ACCEPTED.value)
    best = "limit_price" if side is Side.BUY else "-limit_price"
    return resting.order_by(best).values_list("limit_price", flat=True).first()


def _fresh_last_price(symbol: str, now: datetime) -> Decimal | None:
    """The market's last price while it speaks for the market (docs/matching.md E4): that of the
    newest trade that moves it, for the recent ones hold others too.
    """
    try:
        newest = latest_trades([symbol]).get(symbol)
    except LiveDataUnavailableError:
        return None
    if newest is None or to_ns(now) - to_ns(newest.t) > STREET_TTL_NS:
        return None
    return newest.price


def _silence(instrument: Instrument, now: datetime) -> Denial | None:
    """Why a market order would trade blind (docs/risk.md M17), by the newest quote published."""
    if not follows_feed(instrument):
        return None
    try:
        quote = latest_quotes([instrument.symbol]).get(instrument.symbol)
    except LiveDataUnavailableError:
        quote = None
    ends_ns = to_ns(quote.t) + STREET_TTL_NS if quote else -1
    return denial_of_silence(instrument.symbol, ends_ns) if to_ns(now) > ends_ns else None


def _opposite_levels(symbol: str, side: Side) -> list[tuple[Decimal, Decimal]]:
    """What a taker on `side` would meet, best first; nothing while the live cache is away."""
    try:
        book = latest_books([symbol]).get(symbol)
    except LiveDataUnavailableError:
        return []
    if book is None:
        return []
    levels = book.asks if side is Side.BUY else book.bids
    return [(level.price, level.size) for level in levels]


def _units(value: Decimal) -> int:
    units = decimal_to_units(value)
    assert units is not None, f"{value} is finer than a stored number can be"
    return units
