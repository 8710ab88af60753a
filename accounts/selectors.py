"""Questions about people: what someone may do, and whether a browser session is fully signed in."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

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


def may_manage_risk(viewer: Viewer) -> bool:
    """Restrict trading in every scope, and approve what others ask for."""
    return roles.MANAGE_TRADING_STATES in permissions_of(viewer)


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


def may_cancel_any_order(viewer: Viewer) -> bool:
    """Cancel orders of everybody, with a reason that their owners are told."""
    return roles.CANCEL_ANY_ORDER in permissions_of(viewer)


def may_operate(viewer: Viewer) -> bool:
    """Act on other people's business: adjust cash and halt instruments."""
    return may_adjust_cash(viewer) and may_halt_instruments(viewer)


def needs_second_factor(user: User) -> bool:
    """Whether the user has set up an authenticator app, and so must pass it at every sign-in."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def is_session_complete(user: Viewer, session: SessionBase) -> bool:
    """Whether this session may act for the user: signed in, and past the second factor if there is
    one.

    For sockets and other places without `OTPMiddleware`. Asks the database; blocks.
    """
    if not isinstance(user, User) or not user.is_active:
        return False
    if not needs_second_factor(user):
        return True
    device_id = session.get(DEVICE_ID_SESSION_KEY)
    device = Device.from_persistent_id(device_id) if device_id else None
    return device is not None and device.confirmed and device.user_id == user.pk


def users_who_may(permission: str) -> list[User]:
    """The active users whose roles grant the permission."""
    names = [role.value for role, granted in roles.PERMISSIONS.items() if permission in granted]
    wanted = Q(groups__name__in=names) | Q(is_superuser=True)
    return list(User.objects.filter(wanted, is_active=True).distinct().order_by("pk"))
