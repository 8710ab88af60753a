"""The documented forms of the live sockets are what a live socket takes and sends."""

import msgspec
import pytest
from pytest_django import Settings

from accounts.models import User
from marketdata.domain.live_page import EXAMPLES, ClientForm, ServerForm
from tests.marketdata.browser import BrowserPage, session_of, with_page
from tests.marketdata.test_browser_socket import market, publish

__all__ = ["market"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)


def test_every_example_is_taken_and_every_answer_has_a_documented_form(
    alice: User, settings: Settings
) -> None:
    frames = [frame for frames in EXAMPLES.values() for frame in frames]
    for frame in frames:
        msgspec.convert(frame, ClientForm)

    async def scenario(page: BrowserPage) -> None:
        for frame in frames:
            await page.send(frame)
        await page.send({"op": "ping", "t": 7})
        while {"op": "pong", "t": 7} not in page.heard or len(snapshots(page)) < 3:
            await page.hear(len(page.heard) + 1)
        before = len(page.heard)
        await publish("quote:AAPL", 1, {"bid": "1"})
        await page.hear(before + 1)
        await page.send({"op": "subscribe", "topics": ["nothing"]})
        await page.hear(before + 2)

        for heard in (*page.heard, *page.beats):
            msgspec.convert(heard, ServerForm)
        errors = [heard for heard in page.heard if heard["op"] == "error"]
        assert [error["topic"] for error in errors] == ["nothing"]

    with_page(alice, session_of(alice), scenario)


def snapshots(page: BrowserPage) -> set[str]:
    """The topics that a snapshot has come of."""
    return {heard["topic"] for heard in page.heard if heard["op"] == "snapshot"}
