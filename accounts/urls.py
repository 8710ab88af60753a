"""Addresses of the accounts app."""

from django.urls import URLPattern, URLResolver, path

from accounts.views import SecondFactorView, SignInView, sign_out_view

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", SignInView.as_view(), name="sign-in"),
    path("sign-out", sign_out_view, name="sign-out"),
    path("otp", SecondFactorView.as_view(), name="otp"),
]
