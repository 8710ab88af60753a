"""Every page in both themes, on a desk and on a phone: no complaints, nothing cut off, usable."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chromium import Watch, be_patient
from tests.e2e.axe import bring_axe, grave_violations
from tests.e2e.conftest import DESKTOP, NewPage
from tests.e2e.terminal import Terminal, sign_in
from tests.live_portal import LivePortal, SignIn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("portal"),
]
PHONE = {"width": 390, "height": 844}
TABS_TO_ANYWHERE = 80


@dataclass(frozen=True)
class Place:
    """A page, whether one signs in for it, and how one sees that it is there."""

    name: str
    path: str
    heading: str
    is_private: bool = True
    is_live: bool = True
    expected_complaint: str = ""


PLACES = [
    Place("sign-in", "/accounts/sign-in", "Sign in", is_private=False, is_live=False),
    Place("terminal", "/terminal?symbol=AAPL", "Trading terminal"),
    Place("notifications", "/notifications/", "Notifications"),
    Place("licences", "/about/licences", "Licences"),
    Place(
        "404", "/nowhere", "There is nothing here", is_live=False,
        expected_complaint="the server responded with a status of 404",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def alice(live_portal: LivePortal) -> SignIn:
    return live_portal.create_trader("alice-pages")


@pytest.fixture(scope="module")
def signed_in(browser: Browser, live_portal: LivePortal, alice: SignIn) -> Iterator[Any]:
    """The cookies of a session with an order, a fill, a position and a notification to show."""
    context = be_patient(browser.new_context(viewport=DESKTOP))
    terminal = sign_in(context.new_page(), live_portal.url, alice).wait_until_live()
    terminal.place("Buy", "3")
    expect(terminal.bell).to_have_text("1")
    terminal.place("Buy", "3", limit_price="2.00")
    expect(terminal.status).to_have_text("Buy 3 AAPL: Working")
    yield context.storage_state()
    context.close()


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["desk", "phone"])
def device(request: pytest.FixtureRequest) -> dict[str, Any]:  # Any: Playwright's options
    if request.param == "desk":
        return {"viewport": DESKTOP}
    return {"viewport": PHONE, "is_mobile": True, "has_touch": True}


def opened(page: Page, place: Place, portal: LivePortal, theme: str) -> None:
    cookie = {"name": "theme", "value": theme, "url": portal.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dict is one
    page.goto(f"{portal.url}{place.path}")
    expect(page.get_by_role("heading", name=place.heading, exact=True)).to_be_attached()
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    if place.is_live:
        Terminal(page).wait_until_live()


@pytest.mark.parametrize("place", PLACES, ids=[place.name for place in PLACES])
def test_a_page_is_sound(
    place: Place, theme: str, device: dict[str, Any], live_portal: LivePortal, signed_in: Any,
    new_page: NewPage,
) -> None:  # fmt: skip
    page = new_page(**device, **({"storage_state": signed_in} if place.is_private else {}))
    watch = Watch(page, live_portal.url)
    opened(page, place, live_portal, theme)

    complaints = [text for text in watch.complaints if not is_expected(text, place)]

    assert complaints == []
    assert watch.strangers == []
    widths = "() => [document.scrollingElement.scrollWidth, window.innerWidth]"
    needed, given = page.evaluate(widths)
    assert needed <= given


def is_expected(text: str, place: Place) -> bool:
    return bool(place.expected_complaint) and place.expected_complaint in text


@pytest.mark.parametrize("place", PLACES, ids=[place.name for place in PLACES])
def test_a_page_is_accessible(
    place: Place, theme: str, device: dict[str, Any], live_portal: LivePortal, signed_in: Any,
    new_page: NewPage,
) -> None:  # fmt: skip
    page = new_page(**device, **({"storage_state": signed_in} if place.is_private else {}))
    bring_axe(page)
    opened(page, place, live_portal, theme)

    assert grave_violations(page) == []


def test_the_keyboard_alone_signs_in_and_places_an_order(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch
) -> None:
    keyboard = page.keyboard
    page.goto(f"{live_portal.url}/accounts/sign-in")
    expect(page.get_by_label("User name")).to_be_focused()
    keyboard.type(alice.username)
    keyboard.press("Tab")
    keyboard.type(alice.password)
    keyboard.press("Enter")
    terminal = Terminal(page).wait_until_live()

    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the main content")).to_be_focused()
    keyboard.press("Enter")
    tab_to(page, "input[name=type]")
    keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Market")).to_be_checked()
    tab_to(page, "input[name=quantity]")
    keyboard.type("2")
    tab_to(page, "tp-ticket button[type=submit]")
    keyboard.press("Enter")

    expect(terminal.status).to_have_text("Buy 2 AAPL: Filled")
    assert watch.complaints == []


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, which shows."""
    for _ in range(TABS_TO_ANYWHERE):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    expect(page.locator(f"{selector}:focus-visible")).to_have_count(1)
