"""The operators' console: the admin behind the portal's own sign-in, for roles that may open it."""

from typing import Any, NoReturn

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from unfold.sites import UnfoldAdminSite

from accounts.models import User
from accounts.selectors import may_open_console, needs_second_factor
from accounts.views import sign_out_view


class PortalAdminSite(UnfoldAdminSite):
    """One way in for everybody: the admin has no sign-in form, so it cannot be a way around."""

    index_title = "Console"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not isinstance(user, User) or not may_open_console(user):
            return False
        # The middleware asks first; asked again here, because this door guards everybody's money.
        return user.is_verified() or not needs_second_factor(user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send strangers to the portal's sign-in; who is signed in already may not enter."""
        if request.user.is_authenticated:
            raise PermissionDenied
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return HttpResponseRedirect(
            f"{reverse('accounts:sign-in')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}"
        )

    def logout(  # type: ignore[override]  # Django's answers with a page, ours goes on
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return sign_out_view(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> NoReturn:
        """Passwords are no matter of the console."""
        raise Http404
