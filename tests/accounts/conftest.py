"""Browsers, authenticator apps and origins for the tests of signing in."""

import time
from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from core.domain.origin import Origin


@pytest.fixture
def origin(now: datetime) -> Origin:
    return Origin(now=now, address="192.0.2.7", request_id="request-1")


@pytest.fixture
def add_authenticator() -> Callable[[User], TOTPDevice]:
    def add(user: User) -> TOTPDevice:
        return TOTPDevice.objects.create(user=user, name="phone", confirmed=True)

    return add


@pytest.fixture
def as_role(make_user: Callable[..., User]) -> Callable[[str], Client]:
    def enter(role: str) -> Client:
        client = Client()
        client.force_login(make_user(f"one-{role}", role=role))
        return client

    return enter


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    """What the app shows now, or some steps of 30 seconds away."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"


def sign_in(
    client: Client, username: str, password: str, *, query: str = "", **extra: str
) -> object:
    return client.post(
        f"/accounts/sign-in{query}",
        {"username": username, "password": password},
        **extra,  # type: ignore[arg-type]
    )
