"""Every page with prices says when they are old, in words and with a pattern, and recovers."""

import os
import signal

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.axe import bring_axe, grave_violations
from tests.e2e.conftest import NewPage
from tests.e2e.terminal import sign_in
from tests.live_portal import LivePortal

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]
RECONNECT_MILLISECONDS = 60_000
ROW = "[data-symbol=AAPL]"
CHANGE = f"{ROW} [data-field=change]"


def make_watchlist(portal: LivePortal, username: str) -> str:
    """A list with AAPL on it; its id."""
    key = portal.create_key(username)
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    fields = {"name": "Mine", "symbols": ["AAPL"]}
    answer = httpx.post(f"{portal.url}/v2/watchlists", json=fields, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def open_pages(context: BrowserContext, url: str, watchlist: str) -> list[Page]:
    """The pages beside the terminal that show live prices of AAPL."""
    pages = []
    for path in ("/instruments?q=AAPL", "/instruments/AAPL", f"/watchlists/{watchlist}"):
        page = context.new_page()
        bring_axe(page)
        page.goto(url + path)
        pages.append(page)
    return pages


def has_pattern(row: Locator) -> bool:
    image: str = row.evaluate("row => getComputedStyle(row).backgroundImage")
    return "repeating-linear-gradient" in image


def test_a_feed_that_hangs_makes_prices_old_on_every_page(
    live_portal: LivePortal, new_page: NewPage
) -> None:
    alice = live_portal.create_trader("alice-sees-age")
    watchlist = make_watchlist(live_portal, "alice-sees-age")
    terminal = sign_in(new_page(), live_portal.url, alice).wait_until_live()
    pages = [terminal.page, *open_pages(terminal.page.context, live_portal.url, watchlist)]
    for page in pages:
        expect(page.locator("tp-connection")).to_have_attribute("data-state", "live")
        expect(page.locator(ROW)).not_to_have_attribute("data-standing", "stale")
    feed = live_portal.service("feed")["pid"]
    os.kill(feed, signal.SIGSTOP)

    for page in pages:
        expect(page.locator(ROW)).to_have_attribute("data-standing", "stale")
        expect(page.locator(CHANGE)).to_have_text("Stale")
        assert has_pattern(page.locator(ROW))
    expect(pages[2].locator("[data-field=age]")).to_contain_text("No feed has told anything newer.")
    for page in pages[1:]:
        assert grave_violations(page) == []
    os.kill(feed, signal.SIGKILL)
    live_portal.wait_until_restarted("feed", feed)

    for page in pages:
        expect(page.locator(ROW)).not_to_have_attribute(
            "data-standing", "stale", timeout=RECONNECT_MILLISECONDS
        )
        expect(page.locator(CHANGE)).not_to_have_text("Stale")
        assert not has_pattern(page.locator(ROW))


def test_a_gateway_that_dies_is_seen_in_every_row_and_prices_go_on(
    live_portal: LivePortal, new_page: NewPage
) -> None:
    alice = live_portal.create_trader("alice-waits")
    terminal = sign_in(new_page(), live_portal.url, alice).wait_until_live()
    page = terminal.page
    page.goto(f"{live_portal.url}/instruments/AAPL")
    expect(page.locator("tp-connection")).to_have_attribute("data-state", "live")
    page.evaluate(
        """row => {
          window.standings = [];
          new MutationObserver(() => window.standings.push(row.dataset.standing))
            .observe(row, { attributes: true, attributeFilter: ["data-standing"] });
        }""",
        page.locator(ROW).element_handle(),
    )
    killed = live_portal.kill("gateway")

    live_portal.wait_until_restarted("gateway", killed)

    expect(page.locator("tp-connection")).to_have_attribute(
        "data-state", "live", timeout=RECONNECT_MILLISECONDS
    )
    expect(page.locator(ROW)).not_to_have_attribute("data-standing", "recovering")
    bid = page.locator(f"{ROW} [data-field=bid]")
    expect(bid).not_to_have_text(bid.inner_text())
    assert "recovering" in page.evaluate("() => window.standings")
