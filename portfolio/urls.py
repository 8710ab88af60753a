"""Addresses of the portfolio app. No trailing slashes: stock clients follow no redirects."""

from django.urls import path

from portfolio import api

app_name = "portfolio"
urlpatterns = [
    path("v2/account", api.AccountView.as_view(), name="account"),
    path("v2/positions", api.PositionsView.as_view(), name="positions"),
    path("v2/positions/<path:asset>", api.PositionView.as_view(), name="position"),
]
