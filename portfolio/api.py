"""The trading account and its positions in the Alpaca Trading API v2 dialect.

Positions are valued at the newest quote's middle; without a fresh one at the last known price,
which is told as stale; without any at cost, so that nothing is invented (docs/fees-and-margin.md).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import HasScope
from accounts.domain.api_keys import Principal
from accounts.models import User
from core.api import not_found
from core.domain.clock import SystemClock
from marketdata.models import Instrument
from marketdata.selectors import (
    instrument_by_public_id,
    instrument_by_symbol,
    previous_closes,
)
from portfolio.domain.dialect import (
    DialectPosition,
    Funds,
    Holding,
    Terms,
    dialect_account,
    dialect_position,
)
from portfolio.domain.marks import Mark
from portfolio.models import Position, TradingAccount
from portfolio.schemas import AccountSerializer, PositionSerializer
from portfolio.selectors import (
    average_entry_price,
    balance_of,
    default_account,
    equity_at_day_start,
    margin_of,
    marks_of,
    open_positions,
)

ENCODER = msgspec.json.Encoder()


class TradingView(APIView):
    """Base of the trading routes: the caller's own account, or 404 as if nothing were there."""

    def user(self, request: Request) -> User:
        assert isinstance(request.user, User)  # a key always belongs to one
        return request.user

    def key_id(self, request: Request) -> str:
        assert isinstance(request.auth, Principal)  # ApiKeyAuthentication says who calls
        return request.auth.key_id

    def account(self, request: Request) -> TradingAccount:
        account = default_account(self.user(request))
        if account is None:
            raise not_found("This user has no trading account.")
        return account

    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        return [HasScope("read" if self.request.method in {"GET", "HEAD"} else "trade")]


def answer(value: object, status: int = 200) -> HttpResponse:
    """JSON of dialect structs; faster and stricter than a serializer, and the same everywhere."""
    return HttpResponse(ENCODER.encode(value), status=status, content_type="application/json")


class AccountView(TradingView):
    """/v2/account"""

    @extend_schema(responses=AccountSerializer, operation_id="get_account")
    def get(self, request: Request) -> HttpResponse:
        """Cash, buying power and equity of the caller's account."""
        account = self.account(request)
        balance = balance_of(account)
        return answer(
            dialect_account(
                account_id=str(account.public_id),
                created_at=account.created_at,
                funds=Funds(
                    currency=account.currency_id,
                    total=balance.total,
                    locked=balance.locked,
                    fees_paid=balance.fees_paid,
                ),
                margin=margin_of(account, balance),
                terms=Terms(
                    multiplier=account.margin_multiplier,
                    is_shorting_enabled=account.is_shorting_enabled,
                    is_suspended=account.is_suspended,
                ),
                last_equity=equity_at_day_start(account, SystemClock().now()),
            )
        )


class PositionsView(TradingView):
    """/v2/positions"""

    @extend_schema(responses=PositionSerializer(many=True), operation_id="list_positions")
    def get(self, request: Request) -> HttpResponse:
        """The open positions, by symbol."""
        return answer(valued_positions(self.account(request)))


class PositionView(TradingView):
    """/v2/positions/{symbol or asset id}"""

    @extend_schema(responses=PositionSerializer, operation_id="get_position")
    def get(self, request: Request, asset: str) -> HttpResponse:
        """One open position; 404 when there is none."""
        account = self.account(request)
        instrument = instrument_named(asset)
        if instrument is not None:
            for position in valued_positions(account):
                if position.asset_id == str(instrument.public_id):
                    return answer(position)
        raise not_found("position does not exist")


def valued_positions(account: TradingAccount) -> Sequence[DialectPosition]:
    """The account's open positions at the newest prices."""
    positions = list(open_positions(account))
    now = SystemClock().now()
    marks = marks_of([position.instrument.symbol for position in positions], now)
    closes = previous_closes(now) if positions else {}
    return [_valued(position, marks, closes) for position in positions]


def _valued(
    position: Position, marks: dict[str, Mark], closes: dict[int, Decimal]
) -> DialectPosition:
    instrument = position.instrument
    average = average_entry_price(position)
    return dialect_position(
        Holding(
            asset_id=str(instrument.public_id),
            symbol=instrument.symbol,
            asset_class=instrument.asset_class,
            quantity=position.quantity,
            locked=position.locked,
            is_marginable=instrument.is_marginable,
            average=average,
            cost=position.cost_basis,
            mark=marks.get(instrument.symbol),
            last_close=closes.get(instrument.pk),
        )
    )


def instrument_named(asset: str) -> Instrument | None:
    """By its public id or symbol, as clients write them."""
    try:
        return instrument_by_public_id(UUID(asset))
    except ValueError:
        return instrument_by_symbol(asset)
