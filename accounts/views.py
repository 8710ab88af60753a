"""The pages through which people come in and go out. Each reads its form and calls one service."""

from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import RedirectURLMixin
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.generic import FormView

from accounts.forms import SIGN_IN_BUSY, SIGN_IN_REFUSED, TOKEN_REFUSED, SignInForm, TokenForm
from accounts.models import User
from accounts.selectors import needs_second_factor
from accounts.services.sessions import SignIn, pass_second_factor, sign_in, sign_out
from core.domain.clock import SystemClock
from core.request_context import origin_of


class _EntranceView(RedirectURLMixin, FormView):  # type: ignore[type-arg]  # generic in stubs only
    """A form that leads to `next`, which must be an address of this portal."""

    def get_default_redirect_url(self) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # Any: Django's signature
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)

    def form_invalid(self, form: Form) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def refuse(self, form: Form, message: Any, status: int = 400) -> HttpResponse:
        # Any: a lazy translation
        form.add_error(None, message)
        return self.render_to_response(self.get_context_data(form=form), status=status)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SignInView(_EntranceView):
    template_name = "accounts/sign_in.html"
    form_class = SignInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        outcome = sign_in(
            request=self.request,
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"],
            origin=origin_of(self.request, SystemClock().now()),
        )
        if outcome is SignIn.BUSY:
            return self.refuse(form, SIGN_IN_BUSY, status=429)
        if outcome is SignIn.REFUSED:
            return self.refuse(form, SIGN_IN_REFUSED)
        # The middleware asks for the second factor on the way, when there is one.
        return HttpResponseRedirect(self.get_success_url())


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SecondFactorView(LoginRequiredMixin, _EntranceView):
    template_name = "accounts/otp.html"
    form_class = TokenForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and (user.is_verified() or not needs_second_factor(user)):
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        user = self.request.user
        assert isinstance(user, User)  # LoginRequiredMixin
        is_right = pass_second_factor(
            request=self.request,
            user=user,
            token=form.cleaned_data["otp_token"],
            origin=origin_of(self.request, SystemClock().now()),
        )
        if not is_right:
            return self.refuse(form, TOKEN_REFUSED)
        return HttpResponseRedirect(self.get_success_url())


@never_cache
@require_POST
def sign_out_view(request: HttpRequest) -> HttpResponse:
    sign_out(request=request, origin=origin_of(request, SystemClock().now()))
    return redirect(settings.LOGOUT_REDIRECT_URL)
