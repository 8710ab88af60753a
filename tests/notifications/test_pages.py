"""The bell and the page: Alice and Bob see their own, Charlie nothing, a stranger the sign-in."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import RequestContext, Template
from django.test import Client, RequestFactory

from accounts.models import User
from notifications.models import Notification
from notifications.templatetags.notifications_tags import BELL_ITEMS, notifications_bell


@pytest.fixture
def tell(now: datetime) -> Callable[..., Notification]:
    numbers = iter(range(1, 1_000))

    def make(user: User, title: str = "Bought 10 AAPL at 432.10") -> Notification:
        number = next(numbers)
        return Notification.objects.create(
            user=user,
            event_id=number,
            kind="OrderFilled",
            title=title,
            body="b",
            url="/terminal",
            created_at=now + timedelta(seconds=number),
        )

    return make


def bell(user: User | AnonymousUser) -> dict[str, object]:
    request = RequestFactory().get("/")
    request.user = user
    return notifications_bell(RequestContext(request, {"request": request}))


def titles(found: dict[str, object]) -> list[str]:
    items = found["items"]
    assert isinstance(items, list)
    return [item["title"] for item in items]


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, "accounts.services.authorization.RoleBackend")
    return client


def test_the_bell_shows_each_person_their_own(
    tell: Callable[..., Notification], alice: User, bob: User, charlie: User
) -> None:
    tell(alice, "for Alice")
    tell(bob, "for Bob")
    tell(bob, "for Bob too")

    assert (bell(alice)["unread"], titles(bell(alice))) == (1, ["for Alice"])
    assert (bell(bob)["unread"], titles(bell(bob))) == (2, ["for Bob too", "for Bob"])
    assert (bell(charlie)["unread"], titles(bell(charlie))) == (0, [])
    assert (bell(AnonymousUser())["unread"], titles(bell(AnonymousUser()))) == (0, [])


def test_the_bell_is_short_and_costs_two_queries(
    tell: Callable[..., Notification],
    alice: User,
    django_assert_num_queries: Callable[[int], object],
) -> None:
    for _ in range(BELL_ITEMS + 3):
        tell(alice)

    with django_assert_num_queries(2):  # type: ignore[attr-defined]
        found = bell(alice)

    assert len(titles(found)) == BELL_ITEMS
    assert found["unread"] == BELL_ITEMS + 3


def test_the_bell_is_drawn_in_a_page(tell: Callable[..., Notification], alice: User) -> None:
    tell(alice, "Bought <b>10</b>")
    request = RequestFactory().get("/")
    request.user = alice

    template = Template("{% load notifications_tags %}{% notifications_bell %}")
    html = template.render(RequestContext(request, {"request": request}))

    assert 'data-unread="1"' in html
    assert "Bought &lt;b&gt;10&lt;/b&gt;" in html
    assert "csrfmiddlewaretoken" in html


@pytest.mark.parametrize("path", ["/notifications/", "/notifications/1/read"])
def test_a_stranger_is_sent_to_sign_in(db: None, path: str) -> None:
    client = Client()

    answer = client.get(path) if path.endswith("/") else client.post(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/sign-in?next=")


def test_reading_one_marks_it_and_no_other(
    tell: Callable[..., Notification], alice: User, bob: User
) -> None:
    mine, another, his = tell(alice), tell(alice), tell(bob)

    answer = browser(alice).post(
        f"/notifications/{mine.pk}/read", headers={"Accept": "application/json"}
    )

    for each in (mine, another, his):
        each.refresh_from_db()
    body = answer.json()
    assert (answer.status_code, body["unread"]) == (200, 1)
    assert (body["notification"]["id"], body["notification"]["read"]) == (mine.pk, True)
    assert mine.read_at is not None
    assert (another.read_at, his.read_at) == (None, None)


def test_reading_twice_keeps_the_first_time(tell: Callable[..., Notification], alice: User) -> None:
    mine = tell(alice)
    browser(alice).post(f"/notifications/{mine.pk}/read")
    mine.refresh_from_db()
    first = mine.read_at

    answer = browser(alice).post(f"/notifications/{mine.pk}/read")

    mine.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, "/notifications/")
    assert mine.read_at == first


def test_somebody_elses_notification_does_not_exist(
    tell: Callable[..., Notification], alice: User, bob: User, charlie: User, olga: User
) -> None:
    hers = tell(alice)

    for other in (bob, charlie, olga):
        assert browser(other).post(f"/notifications/{hers.pk}/read").status_code == 404

    hers.refresh_from_db()
    assert hers.read_at is None


def test_reading_all_leaves_other_peoples_alone(
    tell: Callable[..., Notification], alice: User, bob: User
) -> None:
    tell(alice)
    tell(alice)
    his = tell(bob)

    answer = browser(alice).post("/notifications/read-all", headers={"Accept": "application/json"})

    his.refresh_from_db()
    assert answer.json() == {"unread": 0}
    assert Notification.objects.filter(user=alice, read_at__isnull=True).count() == 0
    assert his.read_at is None


def test_after_reading_nobody_is_sent_to_a_foreign_site(
    tell: Callable[..., Notification], alice: User
) -> None:
    tell(alice)

    foreign = browser(alice).post("/notifications/read-all", {"next": "https://evil.example/"})
    ours = browser(alice).post("/notifications/read-all", {"next": "/terminal"})

    assert foreign["Location"] == "/notifications/"
    assert ours["Location"] == "/terminal"


def test_looking_changes_nothing(tell: Callable[..., Notification], alice: User) -> None:
    mine = tell(alice)

    assert browser(alice).get(f"/notifications/{mine.pk}/read").status_code == 405
    assert browser(alice).get("/notifications/read-all").status_code == 405

    mine.refresh_from_db()
    assert mine.read_at is None


def test_a_script_gets_the_state_of_the_bell(
    alice: User, bob: User, tell: Callable[..., Notification]
) -> None:
    tell(alice, "Bought 1 AAPL at 430.00")
    tell(alice, "Sold 1 AAPL at 431.00")
    tell(bob, "Bought 9 FB at 27.00")

    answer = browser(alice).get("/notifications/", headers={"Accept": "application/json"})

    state = answer.json()
    assert titles(state) == ["Sold 1 AAPL at 431.00", "Bought 1 AAPL at 430.00"]
    assert state["unread"] == 2
