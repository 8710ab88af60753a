"""The console's pages about people: users with their roles and keys, and what operators do to them.

Every action asks for a reason, calls one service and leaves an audit entry. Nothing is edited in
place: passwords, roles and rows of keys have no form here.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.domain import roles
from accounts.domain.roles import Role
from accounts.models import ApiKey, User
from accounts.services import (
    create_user,
    remove_second_factor,
    revoke_api_key,
    set_active,
    set_roles,
)
from accounts.services.lockout import lift_lock
from core.confirmed_action import ConfirmedAction, ReasonForm
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from core.request_context import origin_of

# Other packages' pages show secrets (the authenticator's key) or would split the role table in two.
for model in (TOTPDevice, StaticDevice, Group):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

ROLE_CHOICES = [(role.value, role.value.replace("_", " ")) for role in Role]


def actor_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin site lets nobody else in
    return request.user


class RolesForm(ReasonForm):
    roles = forms.MultipleChoiceField(
        choices=ROLE_CHOICES, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


class NewUserForm(forms.Form):
    username = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(required=False, widget=UnfoldAdminEmailInputWidget)
    role = forms.ChoiceField(choices=ROLE_CHOICES, widget=UnfoldAdminSelectWidget)


def _disable(request: HttpRequest, user: User, values: dict[str, Any], origin: Origin) -> str:
    changed = set_active(
        user=user,
        is_active=False,
        reason=values["reason"],
        actor=actor_of(request),
        origin=origin,
    )
    return "disabled." if changed else "was disabled already."


def _enable(request: HttpRequest, user: User, values: dict[str, Any], origin: Origin) -> str:
    changed = set_active(
        user=user, is_active=True, reason=values["reason"], actor=actor_of(request), origin=origin
    )
    return "enabled." if changed else "was enabled already."


def _unlock(request: HttpRequest, user: User, values: dict[str, Any], origin: Origin) -> str:
    lift_lock(
        username=user.username, reason=values["reason"], actor=actor_of(request), origin=origin
    )
    return "may sign in again at once."


def _set_roles(request: HttpRequest, user: User, values: dict[str, Any], origin: Origin) -> str:
    wanted = [Role(name) for name in values["roles"]]
    set_roles(
        user=user, roles=wanted, reason=values["reason"], actor=actor_of(request), origin=origin
    )
    return f"now has: {', '.join(wanted) or 'no role'}."


def _remove_factor(request: HttpRequest, user: User, values: dict[str, Any], origin: Origin) -> str:
    removed = remove_second_factor(
        user=user, reason=values["reason"], actor=actor_of(request), origin=origin
    )
    return f"{removed} devices removed."


def _revoke(request: HttpRequest, key: ApiKey, values: dict[str, Any], origin: Origin) -> str:
    changed = revoke_api_key(
        key=key, reason=values["reason"], actor=actor_of(request), origin=origin
    )
    return "revoked." if changed else "was revoked already."


DISABLE = ConfirmedAction(
    "disable", "Keep these people out, with their keys and open pages?", "Disable", _disable
)
ENABLE = ConfirmedAction("enable", "Let these people in again?", "Enable", _enable)
UNLOCK = ConfirmedAction(
    "unlock", "Forget the failed sign-ins of these people?", "Lift the lock", _unlock
)
SET_ROLES = ConfirmedAction(
    "change_roles", "Give these people exactly these roles?", "Set roles", _set_roles, RolesForm
)
REMOVE_FACTOR = ConfirmedAction(
    "remove_factor",
    "Remove the second factor of these people? Make sure that it is they who ask.",
    "Remove the second factor",
    _remove_factor,
)
REVOKE = ConfirmedAction("revoke", "End these API keys for good?", "Revoke", _revoke)


class ApiKeyInline(ReadOnlyInline):
    model = ApiKey
    fields = ("key_id", "name", "scopes", "created_at", "last_used_at", "revoked_at")
    readonly_fields = fields


class TOTPDeviceInline(ReadOnlyInline):
    model = TOTPDevice
    fields = ("name", "confirmed", "created_at", "last_used_at")
    readonly_fields = fields
    show_change_link = False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["username", "email", "role_list", "is_active", "last_login", "date_joined"]
    list_filter = ["is_active", "groups"]
    search_fields = ["username", "email"]
    number_fields = ("id",)
    ordering = ["username", "pk"]
    fields = ["username", "email", "role_list", "is_active", "last_login", "date_joined"]
    inlines = [ApiKeyInline, TOTPDeviceInline]
    actions = ["disable", "enable", "unlock", "change_roles", "remove_factor"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return people

    @admin.display(description="roles")
    def role_list(self, user: User) -> str:
        names = {group.name for group in user.groups.all()}
        if user.is_superuser:
            names.add("superuser")
        return ", ".join(sorted(names)) or "none"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(roles.ASSIGN_ROLES)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a user with a random password, which the answer shows once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewUserForm(request.POST or None)
        made = None
        if request.method == "POST" and form.is_valid():
            try:
                made = create_user(
                    username=form.cleaned_data["username"],
                    email=form.cleaned_data["email"],
                    role=Role(form.cleaned_data["role"]),
                    actor=actor_of(request),
                    origin=origin_of(request, SystemClock().now()),
                )
            except ValidationError as error:
                form.add_error(None, error.messages)
        context = {
            **self.admin_site.each_context(request),
            "title": "Add a user",
            "opts": self.opts,
            "form": form,
            "made": made,
        }
        return TemplateResponse(request, "accounts/console_new_user.html", context)

    @admin.action(description="Disable", permissions=["disable"])
    def disable(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        return DISABLE.run(self, request, people)

    @admin.action(description="Enable", permissions=["disable"])
    def enable(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        return ENABLE.run(self, request, people)

    @admin.action(description="Lift the sign-in lock", permissions=["unlock"])
    def unlock(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        return UNLOCK.run(self, request, people)

    @admin.action(description="Set roles", permissions=["assign_roles"])
    def change_roles(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        return SET_ROLES.run(self, request, people)

    @admin.action(description="Remove the second factor", permissions=["remove_factor"])
    def remove_factor(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        return REMOVE_FACTOR.run(self, request, people)

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.DISABLE_USERS)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.UNLOCK_SIGN_IN)

    def has_assign_roles_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.ASSIGN_ROLES)

    def has_remove_factor_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.REMOVE_SECOND_FACTOR)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["key_id", "user", "name", "scopes", "last_used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["key_id", "user__username", "name"]
    exclude = ["secret_hash"]
    actions = ["revoke"]

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse | None:
        return REVOKE.run(self, request, keys)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.REVOKE_API_KEYS)
