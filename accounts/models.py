"""People and the keys their programs use. Secrets are stored only as hashes."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.functional import cached_property

from accounts.domain.roles import Role


class User(AbstractUser):
    """Someone who signs in. Roles are Django groups (see accounts.domain.roles)."""

    email = models.EmailField(blank=True)
    is_email_wanted = models.BooleanField(default=True)

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(Lower("username"), name="username_any_case_once")]

    def __str__(self) -> str:
        return self.username

    is_verified: Callable[[], bool]
    """Whether this session passed the second factor; put here by django-otp's middleware."""

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The user's roles, read once per instance. Who was made by `createsuperuser` counts as an
        admin.
        """
        names = frozenset(group.name for group in self.groups.all())  # maybe prefetched
        return names | {Role.ADMIN.value} if self.is_superuser else names


class ApiKey(models.Model):
    """A key pair for a program. The secret is shown once; only its SHA-256 is kept (it has 256
    random bits).
    """

    key_id = models.CharField(max_length=32, unique=True)
    secret_hash = models.CharField(max_length=64)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=64, blank=True)
    scopes = ArrayField(models.CharField(max_length=16))
    rate_limit_per_minute = models.PositiveIntegerField(default=200)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.key_id
