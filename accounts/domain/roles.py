"""Who may do what: one table from role to permissions. Groups in the database carry only the role's
name.

Permissions are Django's `app.codename` strings, so the admin and `user.has_perm` read the same
table.
"""

from enum import StrEnum


class Role(StrEnum):
    TRADER = "trader"
    ANALYST = "analyst"
    SUPPORT = "support"
    RISK_MANAGER = "risk_manager"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


TRADE = "orders.trade"
OPEN_CONSOLE = "core.open_console"
READ_ALL_ACCOUNTS = "portfolio.read_all_accounts"
ADJUST_CASH = "portfolio.adjust_cash"
SET_FEES = "portfolio.set_fees"
SET_STP_MODE = "portfolio.set_stp_mode"
SET_MARGIN = "portfolio.set_margin"
HALT_INSTRUMENTS = "orders.halt_instruments"
CANCEL_ANY_ORDER = "orders.cancel_any_order"
UNLOCK_SIGN_IN = "accounts.unlock_sign_in"
DISABLE_USERS = "accounts.disable_users"
REVOKE_API_KEYS = "accounts.revoke_api_keys"
ASSIGN_ROLES = "accounts.assign_roles"
REMOVE_SECOND_FACTOR = "accounts.remove_second_factor"
RETRY_DELIVERIES = "notifications.retry_deliveries"
RETRY_EVENTS = "core.retry_events"
MANAGE_FEEDS = "marketdata.manage_feeds"
MANAGE_TRADING_STATES = "risk.manage_trading_states"

_READ_PEOPLE = frozenset(
    {
        OPEN_CONSOLE,
        "accounts.view_user",
        "accounts.view_apikey",
        "otp_totp.view_totpdevice",
    }
)
_READ_MARKET = frozenset(
    {
        OPEN_CONSOLE,
        "marketdata.view_currency",
        "marketdata.view_venue",
        "marketdata.view_instrument",
        "marketdata.view_bar",
        "marketdata.view_feed",
        "marketdata.view_feedroute",
        "orders.view_marketplan",
    }
)
_READ_MONEY = frozenset(
    {
        OPEN_CONSOLE,
        READ_ALL_ACCOUNTS,
        "portfolio.view_tradingaccount",
        "portfolio.view_feetier",
        "portfolio.view_balance",
        "portfolio.view_position",
        "portfolio.view_hold",
        "portfolio.view_transfer",
        "orders.view_order",
        "orders.view_execution",
        "orders.view_enginelease",
    }
)
_READ_RECORDS = frozenset(
    {OPEN_CONSOLE, "core.view_auditentry", "core.view_event", "core.view_failedevent"}
)
_READ_RISK = frozenset(
    {
        OPEN_CONSOLE,
        "portfolio.view_desk",
        "risk.view_tradingstate",
        "risk.view_limit",
        "risk.view_changerequest",
        "risk.view_scheduledswitch",
    }
)
_READ_DELIVERIES = frozenset(
    {OPEN_CONSOLE, "notifications.view_notification", "notifications.view_delivery"}
)
_READ_ALL = (
    _READ_PEOPLE | _READ_MARKET | _READ_MONEY | _READ_RECORDS | _READ_RISK | _READ_DELIVERIES
)
_OPERATE = frozenset(
    {
        ADJUST_CASH,
        SET_FEES,
        SET_STP_MODE,
        SET_MARGIN,
        HALT_INSTRUMENTS,
        CANCEL_ANY_ORDER,
        MANAGE_FEEDS,
        MANAGE_TRADING_STATES,
        UNLOCK_SIGN_IN,
        DISABLE_USERS,
        REVOKE_API_KEYS,
        RETRY_DELIVERIES,
        RETRY_EVENTS,
    }
)

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.TRADER: frozenset({TRADE}),
    Role.ANALYST: frozenset(),
    Role.SUPPORT: _READ_PEOPLE | _READ_DELIVERIES | {UNLOCK_SIGN_IN},
    Role.RISK_MANAGER: _READ_MARKET
    | _READ_MONEY
    | _READ_RECORDS
    | _READ_RISK
    | {HALT_INSTRUMENTS, CANCEL_ANY_ORDER, MANAGE_TRADING_STATES},
    Role.OPERATOR: _READ_ALL | _OPERATE,
    Role.AUDITOR: _READ_ALL,
    Role.ADMIN: _READ_ALL | _OPERATE | {TRADE, ASSIGN_ROLES, REMOVE_SECOND_FACTOR},
}
"""Everyone reads the market and their own accounts; that needs no permission."""


def permissions_of(role_names: frozenset[str]) -> frozenset[str]:
    """Everything the named roles may do together; a name that is no role adds nothing."""
    granted: frozenset[str] = frozenset()
    for role in Role:
        if role.value in role_names:
            granted |= PERMISSIONS[role]
    return granted
