"""Signing out tells the session's open sockets through the Channels layer, and works without it."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.test import Client, override_settings

from accounts.domain.sockets import session_mark, user_group
from accounts.models import User
from accounts.services.sockets import close_sockets
from tests.conftest import PASSWORD


def receive(channel: str) -> dict[str, Any]:
    async def take() -> dict[str, Any]:
        async with asyncio.timeout(60):
            message: dict[str, Any] = await get_channel_layer().receive(channel)
            return message

    return async_to_sync(take)()


def join(user: User) -> str:
    async def subscribe() -> str:
        layer = get_channel_layer()
        channel: str = await layer.new_channel()
        await layer.group_add(user_group(user.pk), channel)
        return channel

    return async_to_sync(subscribe)()


def test_sign_out_names_its_own_session_only(client: Client, alice: User) -> None:
    client.post("/accounts/sign-in", {"username": "alice", "password": PASSWORD})
    session_key = client.session.session_key
    assert session_key is not None
    channel = join(alice)

    client.post("/accounts/sign-out")

    message = receive(channel)
    assert message == {"type": "user.signed_out", "session": session_mark(session_key)}
    assert session_key not in str(message)


def test_all_sessions_are_named_by_none(alice: User) -> None:
    channel = join(alice)

    close_sockets(alice.pk)

    assert receive(channel) == {"type": "user.signed_out", "session": None}


def test_sign_out_works_without_redis(client: Client, alice: User) -> None:
    client.post("/accounts/sign-in", {"username": "alice", "password": PASSWORD})

    nowhere = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
        }
    }
    with override_settings(CHANNEL_LAYERS=nowhere):
        response = client.post("/accounts/sign-out")

    assert response.status_code == 302
    assert "_auth_user_id" not in client.session


pytestmark = pytest.mark.django_db
