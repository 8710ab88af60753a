"""Addresses of the portfolio app. No trailing slashes: stock clients follow no redirects."""

from django.urls import path

from portfolio import api

app_name = "portfolio"
urlpatterns = [
    path("v2/account", api.AccountView.as_view(), name="account"),
]
