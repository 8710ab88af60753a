"""What a page does when what it hears from dies, comes back, or should no longer talk to it."""

import os
import signal
import time
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.chromium import PATIENCE_SECONDS
from tests.e2e.axe import bring_axe, grave_violations
from tests.e2e.conftest import NewPage
from tests.e2e.terminal import Terminal, money, sign_in
from tests.live_portal import LivePortal, SignIn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]
RECONNECT_MILLISECONDS = 60_000
RECORD_STATES = """() => {
  const chip = document.querySelector("tp-connection");
  window.states = [];
  new MutationObserver(() => window.states.push(chip.dataset.state))
    .observe(chip, { attributes: true, attributeFilter: ["data-state"] });
}"""


@pytest.fixture(scope="module")
def alice(live_portal: LivePortal) -> SignIn:
    return live_portal.create_trader("alice-connected")


@pytest.fixture(scope="module")
def api(live_portal: LivePortal, alice: SignIn) -> Iterator[httpx.Client]:
    """Alice's program, which trades on the account that her pages show."""
    key = live_portal.create_key("alice-connected")
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    with httpx.Client(base_url=live_portal.url, headers=headers, timeout=30) as client:
        yield client


def place_by_program(api: httpx.Client, **changes: str) -> str:
    """An order placed as soon as the portal takes one; its id."""
    order = {
        "symbol": "MSFT", "qty": "2", "side": "buy", "type": "limit", "time_in_force": "gtc",
        "limit_price": "1.75", **changes,
    }  # fmt: skip
    deadline = time.monotonic() + PATIENCE_SECONDS * 2
    while True:
        try:
            answer = api.post("/v2/orders", json=order)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code == 200:
            return str(answer.json()["id"])
        assert time.monotonic() < deadline, answer and answer.text
        time.sleep(0.1)


def row_of(terminal: Terminal, order_id: str) -> list[str]:
    """The cells of one order's row, once it is there."""
    row = terminal.rows("orders").filter(has=terminal.page.locator(f"[data-cancel='{order_id}']"))
    expect(row).to_have_count(1, timeout=RECONNECT_MILLISECONDS)
    return [text.strip() for text in row.locator("td, th").all_text_contents()]


def test_a_feed_that_hangs_and_dies_is_said_and_comes_back(
    live_portal: LivePortal, alice: SignIn, page: Page
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    bring_axe(page)
    feed = live_portal.service("feed")["pid"]
    os.kill(feed, signal.SIGSTOP)

    expect(terminal.chip).to_have_text("Feed late")
    expect(terminal.chip).to_have_attribute("data-state", "stale")
    expect(page.locator("tp-watchlist .panel-note")).to_contain_text("as of ")
    terminal.write("Buy", "1")
    expect(terminal.note).to_have_text(
        "Prices are stale. A market order would trade blind; use a limit order or wait."
    )
    expect(terminal.submit).to_have_attribute("aria-disabled", "true")
    terminal.submit.press("Enter")
    expect(page.locator("#alarm")).to_contain_text("A market order would trade blind")
    terminal.write("Buy", "1", limit_price="1.00")
    expect(terminal.submit).not_to_have_attribute("aria-disabled", "true")
    os.kill(feed, signal.SIGKILL)
    live_portal.wait_until_restarted("feed", feed)

    expect(terminal.chip).to_have_text("Live", timeout=RECONNECT_MILLISECONDS)
    expect(page.locator("tp-watchlist .panel-note")).to_have_text("")
    quote = page.locator("tp-watchlist tr[data-symbol=AAPL] .quote-pair")
    expect(quote).not_to_have_text(quote.inner_text(), use_inner_text=True)
    terminal.place("Buy", "1")
    expect(terminal.status).to_have_text("Buy 1 AAPL: Filled")


def test_a_page_outlives_its_gateway_and_shows_what_happened_meanwhile(
    live_portal: LivePortal, alice: SignIn, page: Page, api: httpx.Client
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    terminal.mark()
    page.evaluate(RECORD_STATES)
    locked = terminal.amount("locked")
    killed = live_portal.kill("gateway")

    order_id = place_by_program(api)

    assert row_of(terminal, order_id)[1:10] == [
        "MSFT", "Buy", "Limit GTC", "2", "0", "1.75", "–", "–", "Working",
    ]  # fmt: skip
    live_portal.wait_until_restarted("gateway", killed)
    expect(terminal.chip).to_have_text("Live", timeout=RECONNECT_MILLISECONDS)
    expect(terminal.figure("locked")).to_have_text(money(locked + Decimal("3.50")))
    assert "recovering" in page.evaluate("() => window.states")
    assert terminal.is_the_same_page()
    api.delete(f"/v2/orders/{order_id}")
    expect(terminal.figure("locked")).to_have_text(money(locked))


def test_a_page_without_network_says_so_and_is_in_step_when_it_is_back(
    live_portal: LivePortal, alice: SignIn, page: Page, api: httpx.Client
) -> None:
    terminal = sign_in(page, live_portal.url, alice)
    bring_axe(page)
    page.reload()
    terminal.wait_until_live().mark()
    unread = int(terminal.bell.text_content() or 0)
    terminal.write("Buy", "1", limit_price="1.00")
    page.context.set_offline(True)

    expect(terminal.chip).to_have_text("Offline")
    expect(terminal.note).to_have_text("There is no connection, so nothing can be sent.")
    expect(terminal.submit).to_have_attribute("aria-disabled", "true")
    terminal.submit.click(force=True)
    assert grave_violations(page) == []
    order_id = place_by_program(
        api, symbol="AAPL", type="limit", limit_price="9000.00", qty="1", time_in_force="ioc"
    )
    cash = Decimal(api.get("/v2/account").json()["cash"])
    assert terminal.rows("orders").filter(has_text=order_id).count() == 0
    page.context.set_offline(False)

    expect(terminal.chip).to_have_text("Live", timeout=RECONNECT_MILLISECONDS)
    assert row_of(terminal, order_id)[9] == "Filled"
    expect(terminal.figure("total")).to_have_text(money(cash))
    expect(terminal.bell).to_have_text(str(unread + 1))
    assert terminal.is_the_same_page()
    assert len(api.get("/v2/orders?status=open").json()) == 0


def test_signing_out_elsewhere_closes_the_sessions_live_pages_and_no_others(
    live_portal: LivePortal, alice: SignIn, new_page: NewPage
) -> None:
    first = new_page()
    closed: list[str] = []
    first.on("websocket", lambda socket: socket.on("close", lambda _: closed.append(socket.url)))
    terminal = sign_in(first, live_portal.url, alice).wait_until_live()
    copied = new_page(storage_state=first.context.storage_state())
    copied.goto(f"{live_portal.url}/notifications/")
    Terminal(copied).wait_until_live()
    other = sign_in(new_page(), live_portal.url, alice).wait_until_live()

    tab = first.context.new_page()
    tab.goto(f"{live_portal.url}/terminal")
    tab.get_by_role("button", name=f"Signed in as {alice.username}").click()
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()

    expect(terminal.chip).to_have_text("Signed out")
    expect(Terminal(copied).chip).to_have_text("Signed out")
    assert closed == [live_portal.url.replace("http", "ws") + "/ws/v1/"]
    expect(first.locator("#alarm")).to_have_text("You are signed out. Sign in again to go on.")
    terminal.write("Buy", "1")
    expect(terminal.submit).to_have_attribute("aria-disabled", "true")
    first.reload()
    expect(first.get_by_role("heading", name="Sign in")).to_be_visible()
    other.place("Buy", "1", limit_price="1.00")
    expect(other.status).to_have_text("Buy 1 AAPL: Working")
    expect(other.chip).to_have_text("Live")
    other.row("orders").get_by_role("button", name="Cancel Buy 1 AAPL").click()
    expect(other.status).to_have_text("Buy 1 AAPL: Canceled")
