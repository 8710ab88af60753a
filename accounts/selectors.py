"""Questions about people: what someone may do, and whether a browser session is fully signed in."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from accounts.domain import roles
from accounts.models import User

Viewer = AbstractBaseUser | AnonymousUser


def permissions_of(viewer: Viewer) -> frozenset[str]:
    """What the viewer's roles grant; nothing for strangers and disabled users."""
    # request.user is a lazy stand-in for the user; isinstance sees through it.
    if not isinstance(viewer, User) or not viewer.is_active:
        return frozenset()
    return roles.permissions_of(viewer.role_names)


def may_trade(viewer: Viewer) -> bool:
    """Place, replace and cancel orders of the accounts that they own or share."""
    return roles.TRADE in permissions_of(viewer)


def may_open_console(viewer: Viewer) -> bool:
    """Enter the operators' console (the admin)."""
    return roles.OPEN_CONSOLE in permissions_of(viewer)


def may_read_all_accounts(viewer: Viewer) -> bool:
    """See balances, positions and orders of everybody."""
    return roles.READ_ALL_ACCOUNTS in permissions_of(viewer)


def may_adjust_cash(viewer: Viewer) -> bool:
    return roles.ADJUST_CASH in permissions_of(viewer)


def may_halt_instruments(viewer: Viewer) -> bool:
    return roles.HALT_INSTRUMENTS in permissions_of(viewer)


def may_operate(viewer: Viewer) -> bool:
    """Act on other people's business: adjust cash and halt instruments."""
    return may_adjust_cash(viewer) and may_halt_instruments(viewer)
