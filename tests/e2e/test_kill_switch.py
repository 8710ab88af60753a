"""The kill switch on the terminal: two presses halt, two persons enable again."""

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import Watch
from tests.e2e.axe import bring_axe, grave_violations
from tests.e2e.conftest import NewPage
from tests.e2e.terminal import Terminal, sign_in
from tests.live_portal import LivePortal

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]
APPROVE = """
from accounts.models import User
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from orders.services.trading_states import approve
from risk.models import ChangeRequest
request = ChangeRequest.objects.get(asked_by__username="{asker}")
approve(
    request=request,
    actor=User.objects.get(username="admin"),
    origin=Origin(now=SystemClock().now(), request_id="approved"),
)
"""


def test_the_keyboard_halts_and_the_banner_stays_until_somebody_else_approves(
    live_portal: LivePortal, page: Page, watch: Watch
) -> None:
    alice = live_portal.create_trader("alice-halts")
    bring_axe(page)
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    for quantity in ("1", "2"):
        terminal.place("Buy", quantity, limit_price="1.25")
        expect(terminal.status).to_have_text(f"Buy {quantity} AAPL: Working")

    page.keyboard.press("Alt+Shift+K")
    dialog = page.get_by_role("dialog", name="Kill switch")
    expect(dialog.get_by_label("What to halt")).to_contain_text("Account Main, 2 open orders")
    expect(dialog.get_by_role("button", name="Halt and cancel")).to_be_focused()
    assert grave_violations(page) == []
    page.keyboard.press("Enter")

    banner = page.get_by_role("region", name="Trading is restricted")
    expect(banner).to_contain_text("Halted: Account Main.")
    expect(banner).to_contain_text("Stopped by hand")
    expect(terminal.rows("orders").filter(has_text="Working")).to_have_count(0)
    terminal.write("Buy", "1", limit_price="1.25")
    expect(terminal.submit).to_have_attribute("aria-disabled", "true")
    expect(terminal.note).to_contain_text("Halted: Account Main.")
    page.reload()
    terminal.wait_until_live()
    banner.get_by_text("Ask to enable…").click()
    banner.get_by_label("Why it may trade again").fill("It was a mistake")
    assert grave_violations(page) == []
    banner.get_by_role("button", name="Ask", exact=True).click()
    expect(banner).to_contain_text("Somebody else has to approve.")

    live_portal.manage("shell", "-c", APPROVE.format(asker=alice.username))

    expect(banner).to_be_hidden()
    terminal.write("Buy", "1", limit_price="1.25")
    expect(terminal.submit).not_to_have_attribute("aria-disabled", "true")
    assert watch.complaints == []


def test_without_scripts_the_switch_is_a_form(live_portal: LivePortal, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False, viewport={"width": 390, "height": 844})
    bob = live_portal.create_trader("bob-halts")
    sign_in(page, live_portal.url, bob)
    page.get_by_role("link", name="Kill switch…").click()

    page.get_by_role("button", name="Halt and cancel").click()

    expect(page.get_by_role("region", name="Messages")).to_have_text("Halted. Orders canceled: 0.")
    Terminal(page).write("Buy", "1", limit_price="1.25")
    Terminal(page).submit.click()
    expect(page.locator("tp-ticket [data-field=status]")).to_contain_text("Trading is halted")
