"""A person's notifications as a live state: the newest and how many are unread, theirs alone."""

import pytest

from accounts.models import User
from notifications.models import Notification
from notifications.services import announcing
from notifications.services.reading import mark_all_read
from tests.conftest import NOW
from tests.marketdata.browser import BrowserPage, in_database, session_of, with_page

pytestmark = pytest.mark.django_db(transaction=True)
TOPIC = "notifications:alice"


def notify(user: User, title: str) -> Notification:
    number = Notification.objects.count() + 1
    return Notification.objects.create(
        user=user, event_id=number, kind="OrderFilled", title=title, created_at=NOW
    )


def test_what_is_told_and_what_is_read_is_heard(alice: User) -> None:
    notify(alice, "first")

    async def scenario(page: BrowserPage) -> None:
        await page.send({"op": "subscribe", "topics": [TOPIC]})
        await page.hear(2)
        second = await in_database(notify)(alice, "second")
        await in_database(announcing.send_state)(second.user)
        await page.hear(3)
        await in_database(mark_all_read)(viewer=alice, now=NOW)
        heard = await page.hear(4)

        states = heard[1:]
        assert [state["op"] for state in states] == ["snapshot", "event", "event"]
        assert [state["data"]["unread"] for state in states] == [1, 2, 0]
        titles = [[each["title"] for each in state["data"]["newest"]] for state in states]
        assert titles == [["first"], ["second", "first"], ["second", "first"]]
        assert states[0]["seq"] < states[1]["seq"] < states[2]["seq"]

    with_page(alice, session_of(alice), scenario)


def test_nobody_else_hears_it(charlie: User) -> None:
    async def scenario(page: BrowserPage) -> None:
        await page.send({"op": "subscribe", "topics": [TOPIC]})
        heard = await page.hear(2)

        assert (heard[1]["op"], heard[1]["code"]) == ("error", "NOT_FOUND")

    with_page(charlie, session_of(charlie), scenario)
