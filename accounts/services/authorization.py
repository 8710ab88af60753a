"""Answers Django's permission questions from the role table instead of rows in the database."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model

from accounts.selectors import permissions_of


class RoleBackend(ModelBackend):
    """Passwords as Django checks them; permissions from `accounts.domain.roles` only.

    A superuser passes every `has_perm` of Django's own, which is why money tables refuse changes in
    their admin classes and not by permission.
    """

    def get_all_permissions(
        self, user_obj: AbstractBaseUser | AnonymousUser, obj: Model | None = None
    ) -> set[str]:
        return set() if obj is not None else set(permissions_of(user_obj))

    def has_perm(
        self,
        user_obj: AbstractBaseUser | AnonymousUser,
        perm: str,
        obj: Model | None = None,
    ) -> bool:
        return obj is None and perm in permissions_of(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:  # Any: as Django's stubs
        return any(name.startswith(f"{app_label}.") for name in permissions_of(user_obj))
