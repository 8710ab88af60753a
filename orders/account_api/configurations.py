"""/v2/account/configurations: what the account's people set for it; the engine enforces it."""

from typing import Final

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.api import read_json_object
from core.domain.clock import SystemClock
from core.once import HEADER, once, read_body
from core.request_context import origin_of
from core.services.idempotency import Claim
from orders.domain.order_request import field_refusal
from orders.services.configuring import configure_account
from portfolio.api import TradingView, answer
from portfolio.models import TradingAccount
from portfolio.schemas import serializer_of


class DialectConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """An AccountConfiguration. Only what stands in SETTABLE can be changed."""

    suspend_trade: bool
    no_shorting: bool
    fractional_trading: bool = True
    max_margin_multiplier: str = "1"
    trade_confirm_email: str = "all"
    ptp_no_exception_entry: bool = False
    dtbp_check: str = "entry"
    pdt_check: str = "entry"
    max_options_trading_level: int = 0


SETTABLE: Final = ("suspend_trade", "no_shorting")
ConfigurationSerializer = serializer_of(DialectConfiguration, "ConfigurationSerializer")


class ConfigurationsView(TradingView):
    """/v2/account/configurations"""

    @extend_schema(responses=ConfigurationSerializer, operation_id="get_account_configurations")
    def get(self, request: Request) -> HttpResponse:
        """What is set for the account."""
        return answer(_configuration(self.account(request)))

    @extend_schema(
        parameters=[HEADER],
        request=ConfigurationSerializer,
        responses=ConfigurationSerializer,
        operation_id="set_account_configurations",
    )
    def patch(self, request: Request) -> HttpResponse:
        """Change suspend_trade or no_shorting; the other fields must be as they are."""
        account, body = self.account(request), read_body(request)
        fields = read_json_object(body)

        def configure(claim: Claim | None) -> HttpResponse:
            changes = _read_changes(fields, _configuration(account))
            if changes:
                configure_account(
                    account=account,
                    changes=changes,
                    actor=self.user(request),
                    origin=origin_of(request._request, SystemClock().now()),
                )
                account.refresh_from_db()
            return answer(_configuration(account))

        return once(request, body, str(account.public_id), configure)


def _configuration(account: TradingAccount) -> DialectConfiguration:
    return DialectConfiguration(
        suspend_trade=account.is_suspended,
        no_shorting=account.is_long_only,
        max_margin_multiplier=str(account.margin_multiplier),
    )


def _read_changes(fields: dict[str, object], now: DialectConfiguration) -> dict[str, bool]:
    """The settable fields that the body names; a Refusal for any other that would change."""
    changes: dict[str, bool] = {}
    for name, value in fields.items():
        if not hasattr(now, name):
            raise field_refusal(name, "is not a field of a configuration.")
        if value is None:
            continue
        if name in SETTABLE:
            if not isinstance(value, bool):
                raise field_refusal(name, "must be true or false.")
            changes[name] = value
        elif value != getattr(now, name):
            raise field_refusal(name, f"cannot be changed here; it is {getattr(now, name)}.")
    return changes
