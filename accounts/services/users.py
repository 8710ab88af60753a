"""People: making them, naming their roles, letting them in and out of the portal."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from accounts.domain.roles import Role
from accounts.models import User
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
    """Give the user exactly these roles. The user's open key entries notice within a second."""
    sync_roles()
    before = sorted(user.groups.values_list("name", flat=True))
    user.groups.set(Group.objects.filter(name__in=[role.value for role in roles]))
    audit.record(
        actor=actor,
        action="RolesChanged",
        target=user.username,
        reason=reason,
        facts={"before": before, "after": sorted(role.value for role in roles)},
        origin=origin,
    )
