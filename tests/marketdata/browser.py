"""A browser's side of `/ws/v1/` for tests: a signed-in session and an open socket."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client

from accounts.models import User
from marketdata.consumers import BrowserSocket
from marketdata.hub import local_hub


def session_of(user: User) -> SessionBase:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    session: SessionBase = client.session
    return session


class BrowserPage:
    """One open socket; `heard` collects everything but heartbeats."""

    def __init__(self, user: Any, session: Any) -> None:
        self.heard: list[dict[str, Any]] = []
        self.beats: list[dict[str, Any]] = []
        self.close_code: int | None = None
        scope = {"type": "websocket", "path": "/ws/v1/", "user": user, "session": session}
        self._socket = ApplicationCommunicator(BrowserSocket.as_asgi(), scope)

    async def open(self) -> None:
        await self._socket.send_input({"type": "websocket.connect"})
        assert await self._socket.receive_output() == {
            "type": "websocket.accept",
            "subprotocol": None,
        }
        self._reading = asyncio.create_task(self._read())

    async def send(self, message: object) -> None:
        await self.send_text(msgspec.json.encode(message).decode())

    async def send_text(self, text: str) -> None:
        await self._socket.send_input({"type": "websocket.receive", "text": text})

    async def hear(self, count: int) -> list[dict[str, Any]]:
        """Wait for `count` messages in all."""
        async with asyncio.timeout(60):
            while len(self.heard) < count:
                await asyncio.sleep(0.01)
        return self.heard

    async def closed(self) -> int | None:
        async with asyncio.timeout(60):
            while self.close_code is None:
                await asyncio.sleep(0.01)
        return self.close_code

    async def leave(self) -> None:
        self._reading.cancel()
        if self.close_code is None:
            await self._socket.send_input({"type": "websocket.disconnect", "code": 1000})
            await self._socket.wait(timeout=60)

    async def _read(self) -> None:
        while True:
            event = await self._socket.receive_output(timeout=60)
            if event["type"] == "websocket.close":
                self.close_code = event["code"]
                return
            frame = msgspec.json.decode(event["text"])
            (self.beats if frame["op"] == "heartbeat" else self.heard).append(frame)


def with_page(user: Any, session: Any, scenario: Callable[[BrowserPage], Awaitable[None]]) -> None:
    """Open a socket, run the scenario on it, and close socket and hub."""

    async def run() -> None:
        page = BrowserPage(user, session)
        try:
            await page.open()
            await scenario(page)
        finally:
            await page.leave()
            await local_hub().close()

    asyncio.run(run())


in_database = database_sync_to_async
