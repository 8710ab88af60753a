"""The account and its positions in the words of the Alpaca Trading API v2; money as strings."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from core.domain.clock import to_ns, wire_time
from core.domain.decimals import to_wire

RATIO = Decimal("0.000001")


class DialectAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A TradeAccount. `cash` leaves out what open orders hold, as ccxt expects of it."""

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
    created_at: str
    trading_blocked: bool = False
    transfers_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False
    shorting_enabled: bool = False


class DialectPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A Position, long. Intraday figures equal the total ones: there is no day boundary here."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position and the price it is valued at."""

    asset_id: str
    symbol: str
    asset_class: str
    quantity: Decimal
    locked: Decimal
    average: Decimal
    cost: Decimal
    mark: Decimal


def dialect_account(
    *,
    account_id: str,
    created_at: datetime,
    currency: str,
    total: Decimal,
    locked: Decimal,
    long_value: Decimal,
) -> DialectAccount:
    """The account with `total` cash of which `locked` is held, and positions worth `long_value`."""
    free, equity = to_wire(total - locked), to_wire(total + long_value)
    return DialectAccount(
        id=account_id,
        account_number=account_id,
        currency=currency,
        cash=free,
        buying_power=free,
        regt_buying_power=free,
        non_marginable_buying_power=free,
        equity=equity,
        last_equity=equity,
        portfolio_value=equity,
        position_market_value=to_wire(long_value),
        long_market_value=to_wire(long_value),
        created_at=wire_time(to_ns(created_at)),
    )


def dialect_position(holding: Holding) -> DialectPosition:
    """The position at its mark. Crypto symbols lose their slash here, as upstream's do."""
    value = holding.quantity * holding.mark
    profit = value - holding.cost
    ratio = (profit / holding.cost).quantize(RATIO, ROUND_HALF_UP) if holding.cost else Decimal(0)
    return DialectPosition(
        asset_id=holding.asset_id,
        symbol=holding.symbol.replace("/", ""),
        asset_class=holding.asset_class,
        qty=to_wire(holding.quantity),
        qty_available=to_wire(holding.quantity - holding.locked),
        avg_entry_price=to_wire(holding.average),
        market_value=to_wire(value),
        cost_basis=to_wire(holding.cost),
        unrealized_pl=to_wire(profit),
        unrealized_plpc=to_wire(ratio),
        unrealized_intraday_pl=to_wire(profit),
        unrealized_intraday_plpc=to_wire(ratio),
        current_price=to_wire(holding.mark),
        lastday_price=to_wire(holding.mark),
    )
