"""People: making them, naming their roles, letting them in and out of the portal."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.domain.roles import Role
from accounts.models import User
from accounts.services.api_keys import KEYS
from accounts.services.sockets import close_sockets
from core.cache import forget_everywhere
from core.domain.origin import Origin
from core.services import audit

GENERATED_PASSWORD_BYTES = 18


@dataclass(frozen=True, slots=True)
class NewUser:
    """`generated_password` is shown once and kept nowhere; None when the caller chose one."""

    user: User
    generated_password: str | None

    def __repr__(self) -> str:
        return f"NewUser({self.user.username})"


def sync_roles() -> None:
    """Make every role exist as a group. What a role may do stands in `accounts.domain.roles`, not
    in the database.
    """
    for role in Role:
        Group.objects.get_or_create(name=role.value)


@transaction.atomic
def create_user(
    *,
    username: str,
    role: Role,
    origin: Origin,
    email: str = "",
    password: str | None = None,
    actor: User | None = None,
) -> NewUser:
    """Make a user with one role, with a random password unless one is given.

    ValidationError when the name is not free or not allowed, or the given password is too weak.
    """
    generated = None if password is not None else secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
    user = User(username=User.normalize_username(username), email=email)
    if password is not None:
        validate_password(password, user)
    user.set_password(generated or password)
    user.full_clean()
    user.save()
    sync_roles()
    user.groups.set(Group.objects.filter(name=role.value))
    audit.record(
        actor=actor,
        action="UserCreated",
        target=user.username,
        facts={"role": role.value},
        origin=origin,
    )
    return NewUser(user, generated)


@transaction.atomic
def set_roles(
    *, user: User, roles: Iterable[Role], reason: str, actor: User, origin: Origin
) -> None:
    """Give the user exactly these roles. Their API keys notice within a second.

    ValidationError for one's own roles: nobody promotes themselves, and the last admin stays one.
    """
    if user.pk == actor.pk:
        raise ValidationError("Somebody else has to change your roles.")
    sync_roles()
    before = sorted(user.groups.values_list("name", flat=True))
    user.groups.set(Group.objects.filter(name__in=[role.value for role in roles]))
    forget_everywhere(KEYS)
    audit.record(
        actor=actor,
        action="RolesChanged",
        target=user.username,
        reason=reason,
        facts={"before": before, "after": sorted(role.value for role in roles)},
        origin=origin,
    )


def set_active(*, user: User, is_active: bool, reason: str, actor: User, origin: Origin) -> bool:
    """Let a user in or keep them out, with their keys and sockets; False when it was so already.

    ValidationError when somebody would shut themselves out.
    """
    if user.pk == actor.pk and not is_active:
        raise ValidationError("You cannot disable yourself.")
    with transaction.atomic():
        changed = User.objects.filter(pk=user.pk, is_active=not is_active).update(
            is_active=is_active
        )
        if not changed:
            return False
        forget_everywhere(KEYS)
        audit.record(
            actor=actor,
            action="UserEnabled" if is_active else "UserDisabled",
            target=user.username,
            reason=reason,
            origin=origin,
        )
    if not is_active:
        close_sockets(user.pk)
    return True


def remove_second_factor(*, user: User, reason: str, actor: User, origin: Origin) -> int:
    """Take away a user's authenticator apps and recovery codes (a lost phone); how many.

    ValidationError for one's own: that would let a stolen session get rid of the second factor.
    """
    if user.pk == actor.pk:
        raise ValidationError("Somebody else has to remove your second factor.")
    with transaction.atomic():
        removed = sum(
            model.objects.filter(user=user).delete()[0] for model in (TOTPDevice, StaticDevice)
        )
        audit.record(
            actor=actor,
            action="SecondFactorRemoved",
            target=user.username,
            reason=reason,
            facts={"devices": removed},
            origin=origin,
        )
    close_sockets(user.pk)
    return removed


@transaction.atomic
def add_authenticator(*, user: User, actor: User | None, origin: Origin) -> TOTPDevice:
    """Give the user a confirmed authenticator app; its `config_url` is what the app scans."""
    device: TOTPDevice = TOTPDevice.objects.create(user=user, name="authenticator", confirmed=True)
    audit.record(actor=actor, action="SecondFactorAdded", target=user.username, origin=origin)
    return device
