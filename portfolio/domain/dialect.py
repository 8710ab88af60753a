"""The account and its positions in the words of the Alpaca Trading API v2; money as strings."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from core.domain.clock import to_ns, wire_time
from core.domain.decimals import to_wire
from core.domain.units import units_to_decimal
from portfolio.domain.margin import MarginState
from portfolio.domain.marks import Mark

RATIO = Decimal("0.000001")


class DialectAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A TradeAccount. `cash` leaves out what open orders hold, as ccxt expects of it.

    `fees_paid` is ours: all fees on fills. None accrue: each is paid with its fill.
    """

    id: str
    account_number: str
    status: str = "ACTIVE"
    crypto_status: str = "ACTIVE"
    currency: str
    cash: str
    buying_power: str
    regt_buying_power: str
    non_marginable_buying_power: str
    equity: str
    last_equity: str
    portfolio_value: str
    position_market_value: str
    long_market_value: str
    short_market_value: str = "0"
    initial_margin: str = "0"
    maintenance_margin: str = "0"
    multiplier: str = "1"
    accrued_fees: str = "0"
    fees_paid: str = "0"
    created_at: str
    trading_blocked: bool = False
    transfers_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False
    shorting_enabled: bool = False


class DialectPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A Position; of a short one quantity, value and cost are below zero.

    Intraday figures equal the total ones: no position is valued anew at a day's end.
    """

    asset_id: str
    symbol: str
    exchange: str = ""
    asset_class: str
    asset_marginable: bool = False
    qty: str
    qty_available: str
    avg_entry_price: str
    side: str = "long"
    market_value: str
    cost_basis: str
    unrealized_pl: str
    unrealized_plpc: str
    unrealized_intraday_pl: str
    unrealized_intraday_plpc: str
    current_price: str
    lastday_price: str
    change_today: str = "0"
    price_as_of: str | None = None
    """Ours: when `current_price` was the market's; null where it is the position's own cost."""
    price_stale: bool = False
    """Ours: nothing fresh says that `current_price` is still the market's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position and the price it is valued at."""

    asset_id: str
    symbol: str
    asset_class: str
    quantity: Decimal
    locked: Decimal
    is_marginable: bool
    average: Decimal
    cost: Decimal
    mark: Mark | None
    last_close: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """An account's cash, what open orders hold of it, and the fees that it has paid."""

    currency: str
    total: Decimal
    locked: Decimal
    fees_paid: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What operators and the account's people have set for it."""

    multiplier: int
    is_shorting_enabled: bool
    is_suspended: bool


def dialect_account(
    *,
    account_id: str,
    created_at: datetime,
    funds: Funds,
    margin: MarginState,
    terms: Terms,
    last_equity: Decimal | None,
) -> DialectAccount:
    """The account with its funds and what its positions are worth and require. One that has no
    `last_equity` began today: it is told the present one.
    """
    equity = to_wire(units_to_decimal(margin.equity))
    cash = to_wire(funds.total - funds.locked)
    power = to_wire(units_to_decimal(margin.buying_power)) if terms.multiplier > 1 else cash
    return DialectAccount(
        id=account_id,
        account_number=account_id,
        currency=funds.currency,
        cash=cash,
        buying_power=power,
        regt_buying_power=power,
        non_marginable_buying_power=(
            to_wire(units_to_decimal(max(margin.excess, 0))) if terms.multiplier > 1 else cash
        ),
        equity=equity,
        last_equity=equity if last_equity is None else to_wire(last_equity),
        portfolio_value=equity,
        position_market_value=to_wire(units_to_decimal(margin.long_value + margin.short_value)),
        long_market_value=to_wire(units_to_decimal(margin.long_value)),
        short_market_value=to_wire(units_to_decimal(margin.short_value)),
        initial_margin=to_wire(units_to_decimal(margin.initial)),
        maintenance_margin=to_wire(units_to_decimal(margin.maintenance)),
        multiplier=str(terms.multiplier),
        shorting_enabled=terms.is_shorting_enabled,
        fees_paid=to_wire(funds.fees_paid),
        trade_suspended_by_user=terms.is_suspended,
        created_at=wire_time(to_ns(created_at)),
    )


def dialect_position(holding: Holding) -> DialectPosition:
    """The position at its mark; without one at cost, so that nothing is invented. Crypto symbols
    lose their slash here, as upstream's do.
    """
    mark = holding.mark
    price = holding.average if mark is None else mark.price
    value = holding.quantity * price
    profit = value - holding.cost
    paid = abs(holding.cost)
    ratio = (profit / paid).quantize(RATIO, ROUND_HALF_UP) if paid else Decimal(0)
    last = holding.last_close or price
    change = (price / last - 1).quantize(RATIO, ROUND_HALF_UP) if last else Decimal(0)
    is_short = holding.quantity < 0
    free = abs(holding.quantity) - holding.locked
    return DialectPosition(
        asset_id=holding.asset_id,
        symbol=holding.symbol.replace("/", ""),
        asset_class=holding.asset_class,
        qty=to_wire(holding.quantity),
        qty_available=to_wire(-free if is_short else free),
        side="short" if is_short else "long",
        asset_marginable=holding.is_marginable,
        avg_entry_price=to_wire(holding.average),
        market_value=to_wire(value),
        cost_basis=to_wire(holding.cost),
        unrealized_pl=to_wire(profit),
        unrealized_plpc=to_wire(ratio),
        unrealized_intraday_pl=to_wire(profit),
        unrealized_intraday_plpc=to_wire(ratio),
        current_price=to_wire(price),
        lastday_price=to_wire(last),
        change_today=to_wire(change),
        price_as_of=None if mark is None else wire_time(to_ns(mark.as_of)),
        price_stale=mark is None or mark.is_stale,
    )
