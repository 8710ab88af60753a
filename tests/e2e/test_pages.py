"""Every page in both themes, on a desk and on a phone: no complaints, nothing cut off, usable."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.test import RequestFactory
from playwright.sync_api import Browser, Page, Route, expect

from tests.chromium import Watch, be_patient
from tests.e2e.axe import COLOURS, bring_axe, grave_violations
from tests.e2e.conftest import DESKTOP, NewPage
from tests.e2e.terminal import Terminal, enter, sign_in
from tests.live_portal import LivePortal, SignIn
from tradeportal.error_pages import server_error

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]
PHONE = {"width": 390, "height": 844}
TABS_TO_ANYWHERE = 80
BROKEN = "/broken"


@dataclass(frozen=True)
class Place:
    """A page, who looks at it, how one gets there and how one sees that it is there."""

    name: str
    path: str
    heading: str
    who: str = "nobody"
    is_live: bool = False
    is_ours: bool = True
    expected_complaint: str = ""
    then: Callable[[Page], None] = lambda page: None


def refuse_sign_in(page: Page) -> None:
    """Twice for each theme and device: by the last of them the name is locked, which must look the
    same.
    """
    for _ in range(2):
        page.get_by_label("User name").fill("mallory-pages")
        page.get_by_label("Password", exact=True).fill("wrong")
        with page.expect_navigation():
            page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").filter(has_text="do not open an account")).to_be_visible()


def lose_the_token(page: Page) -> None:
    page.context.clear_cookies(name="csrftoken")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill("any")
    page.get_by_role("button", name="Sign in").click()


def failed_with(status: int) -> str:
    return f"the server responded with a status of {status}"


PLACES = [
    Place("sign-in", "/accounts/sign-in", "Sign in"),
    Place(
        "sign-in refused", "/accounts/sign-in", "Sign in", then=refuse_sign_in,
        expected_complaint=failed_with(400),
    ),
    Place("sign-in code", "/accounts/otp", "Confirm it is you", who="halfway"),
    Place("terminal", "/terminal?symbol=AAPL", "Trading terminal", who="alice", is_live=True),
    Place("notifications", "/notifications/", "Notifications", who="alice", is_live=True),
    Place("licences", "/about/licences", "Licences", who="alice", is_live=True),
    Place("no account", "/terminal", "You have no trading account", who="olga", is_live=True),
    Place("order queue", "/operate/orders", "Order queue", who="olga", is_live=True),
    Place("market states", "/operate/markets", "Market states", who="olga", is_live=True),
    Place("instruments", "/instruments?q=a", "Instruments", who="alice", is_live=True),
    Place("instrument", "/instruments/AAPL", "AAPL", who="alice", is_live=True),
    Place("calendar", "/calendar", "Market calendar", who="alice", is_live=True),
    Place("watchlists", "/watchlists", "Watchlists", who="alice", is_live=True),
    Place(
        "watchlist", "/watchlists", "Tech", who="alice", is_live=True,
        then=lambda page: page.get_by_role("link", name="Tech", exact=True).click(),
    ),
    Place("limits", "/risk/limits", "Limits", who="alice", is_live=True),
    Place("limits of all", "/risk/limits", "Limits", who="olga", is_live=True),
    Place("kill switch", "/risk/switch", "Kill switch", who="alice", is_live=True),
    Place("cancel orders", "/orders/cancel-all", "Cancel orders", who="alice", is_live=True),
    Place("console", "/admin/", "Console", who="olga", is_ours=False),
    Place(
        "403", "/admin/", "This is not yours to open", who="alice",
        expected_complaint=failed_with(403),
    ),
    Place(
        "403 form", "/accounts/sign-in", "The form had expired", then=lose_the_token,
        expected_complaint=failed_with(403),
    ),
    Place("404", "/nowhere", "There is nothing here", expected_complaint=failed_with(404)),
    Place(
        "500", BROKEN, "Something broke on our side", expected_complaint=failed_with(500),
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def alice(live_portal: LivePortal) -> SignIn:
    return live_portal.create_trader("alice-pages")


@pytest.fixture(scope="module")
def sessions(
    browser: Browser, live_portal: LivePortal, alice: SignIn
) -> Iterator[dict[str, Any]]:  # Any: Playwright's cookies
    """The cookies of each who looks at pages: Alice, who has an order, a fill, a position and a
    notification to show, Olga, and somebody who has yet to give the code of an authenticator.
    """
    portal, context = live_portal, be_patient(browser.new_context(viewport=DESKTOP))
    terminal = sign_in(context.new_page(), portal.url, alice).wait_until_live()
    terminal.place("Buy", "3")
    expect(terminal.bell).to_have_text("1")
    terminal.place("Buy", "3", limit_price="2.00")
    expect(terminal.status).to_have_text("Buy 3 AAPL: Working")
    make_a_list(terminal.page, portal.url)
    found: dict[str, Any] = {"nobody": None, "alice": context.storage_state()}
    for name, person in more_people(portal).items():
        other = be_patient(browser.new_context(viewport=DESKTOP))
        enter(other.new_page(), portal.url, person)
        found[name] = other.storage_state()
        other.close()
    yield found
    context.close()


def make_a_list(page: Page, url: str) -> None:
    """A watchlist of Alice's, shared, with two instruments on it."""
    page.goto(f"{url}/watchlists")
    page.get_by_label("Name").fill("Tech")
    page.get_by_role("button", name="Make it").click()
    for symbol in ("AAPL", "BTC/USD"):
        page.get_by_label("Add an instrument").fill(symbol)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(f"[data-item='{symbol}']")).to_be_visible()
    page.get_by_role("button", name="Share with my desk").click()
    expect(page.get_by_role("button", name="Stop sharing")).to_be_visible()


def more_people(portal: LivePortal) -> dict[str, SignIn]:
    """An operator without a trading account, and a trader with an authenticator."""
    code = """
import json
from django.core.management import call_command
from django_otp.plugins.otp_totp.models import TOTPDevice
from accounts.models import User
call_command("create_user", username="olga-pages", role="operator", json=True)
call_command("create_user", username="halfway-pages", role="trader", json=True)
TOTPDevice.objects.create(user=User.objects.get(username="halfway-pages"), confirmed=True)
"""
    lines = [line for line in portal.manage("shell", "-c", code).splitlines() if line[:1] == "{"]
    olga, halfway = [json.loads(line)["password"] for line in lines]
    return {"olga": SignIn("olga-pages", olga), "halfway": SignIn("halfway-pages", halfway)}


@pytest.fixture(params=["desk", "phone"])
def device(request: pytest.FixtureRequest) -> dict[str, Any]:  # Any: Playwright's options
    if request.param == "desk":
        return {"viewport": DESKTOP}
    return {"viewport": PHONE, "is_mobile": True, "has_touch": True}


def opened(page: Page, place: Place, portal: LivePortal, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    cookie = {"name": "theme", "value": theme, "url": portal.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dict is one
    page.route(f"{portal.url}{BROKEN}", lambda route: fail(route, portal))
    page.goto(f"{portal.url}{place.path}")
    place.then(page)
    expect(page.get_by_role("heading", name=place.heading, exact=True)).to_be_attached()
    if place.is_ours:
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    if place.is_live:
        Terminal(page).wait_until_live()


def fail(route: Route, portal: LivePortal) -> None:
    """Answer as the portal does when a view raises; a whole portal has none that can be made to."""
    request = RequestFactory().get(BROKEN, headers={"cookie": route.request.headers["cookie"]})
    answer = server_error(request)
    policy = httpx.get(f"{portal.url}/nowhere").headers["content-security-policy"]
    route.fulfill(
        status=answer.status_code,
        body=answer.content,
        headers={"content-type": answer["Content-Type"], "content-security-policy": policy},
    )


@pytest.mark.parametrize("place", PLACES, ids=[place.name for place in PLACES])
def test_a_page_is_sound_and_accessible(
    place: Place, device: dict[str, Any], live_portal: LivePortal, sessions: dict[str, Any],
    new_page: NewPage,
) -> None:  # fmt: skip
    page = new_page(**device, storage_state=sessions[place.who])
    watch = Watch(page, live_portal.url)
    bring_axe(page)
    opened(page, place, live_portal, "light")

    widths = "() => [document.scrollingElement.scrollWidth, window.innerWidth]"
    needed, given = page.evaluate(widths)
    assert needed <= given
    assert grave_violations(page) == []

    opened(page, place, live_portal, "dark")

    assert grave_violations(page, COLOURS) == []
    assert [text for text in watch.complaints if not is_expected(text, place)] == []
    assert watch.strangers == []


def is_expected(text: str, place: Place) -> bool:
    return bool(place.expected_complaint) and place.expected_complaint in text


def test_olga_finds_the_console_on_a_phone(
    live_portal: LivePortal, sessions: dict[str, Any], new_page: NewPage
) -> None:
    page = new_page(viewport=PHONE, is_mobile=True, storage_state=sessions["olga"])
    page.goto(f"{live_portal.url}/notifications/")

    page.get_by_role("button", name="Signed in as olga-pages").click()
    page.get_by_role("link", name="Console").click()

    expect(page.get_by_role("heading", name="Console", exact=True)).to_be_visible()


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
    expect(terminal.submit).not_to_have_attribute("aria-disabled", "true")
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
