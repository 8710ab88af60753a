"""The two forms of signing in. They check shape only; what the words open is for the services."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

MAX_PASSWORD_LENGTH = 1024  # far above any passphrase; a megabyte would only feed the hash function

SIGN_IN_REFUSED = _(
    "That user name and password do not open an account, or sign-in is locked for a while after"
    " too many failed attempts."
)
SIGN_IN_BUSY = _("Other attempts to sign in are still being checked. Wait a moment and try again.")
TOKEN_REFUSED = _(
    "That code was not accepted. Wait for the next one: each works once, and after a wrong one the"
    " portal waits before it takes another."
)


class SignInForm(forms.Form):
    username = forms.CharField(max_length=150)
    password = forms.CharField(
        max_length=MAX_PASSWORD_LENGTH, strip=False, widget=forms.PasswordInput
    )


class TokenField(forms.CharField):
    """Digits of an authenticator app ("123 456" is how apps show them) or a recovery code."""

    default_validators = [
        RegexValidator(r"\A[0-9a-z]{6,16}\Z", _("Enter the digits that your app shows."))
    ]

    def to_python(self, value: object) -> str:
        return str(super().to_python(value)).replace(" ", "")


class TokenForm(forms.Form):
    otp_token = TokenField(max_length=32, error_messages={"required": _("Enter the code.")})
