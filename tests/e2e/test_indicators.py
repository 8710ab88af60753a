"""Indicators on the terminal's chart: by keyboard, remembered, live, and read in the table."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.chromium import Watch
from tests.e2e.axe import bring_axe, grave_violations
from tests.e2e.conftest import NewPage
from tests.e2e.terminal import sign_in
from tests.live_portal import LivePortal

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]


def open_dialog(page: Page) -> Locator:
    page.get_by_role("button", name="Indicators", exact=True).press("Enter")
    dialog = page.get_by_role("dialog", name="Indicators")
    expect(dialog.get_by_label("Search by name")).to_be_focused()
    expect(dialog.locator(".found").first).to_be_visible()
    return dialog


def test_indicators_are_drawn_by_keyboard_remembered_and_removed(
    live_portal: LivePortal, page: Page, watch: Watch
) -> None:
    alice = live_portal.create_trader("alice-draws")
    bring_axe(page)
    sign_in(page, live_portal.url, alice).wait_until_live()
    legend = page.locator(".indicator-legend li")

    dialog = open_dialog(page)
    page.keyboard.type("relative strength")
    page.keyboard.press("Enter")  # picks the first that is found
    period = dialog.get_by_label("timeperiod")
    expect(period).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("1001")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("From 2 to 1000, please.")).to_be_visible()
    expect(legend).to_have_count(0)
    assert grave_violations(page) == []
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Remove RSI(7)")).to_be_visible()
    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(legend).to_have_count(1)
    expect(legend).to_contain_text("RSI(7)")
    value = legend.locator(".num")
    first = value.inner_text()
    expect(value).not_to_have_text(first)  # it follows the price
    page.reload()
    expect(legend).to_contain_text("RSI(7)")
    page.get_by_text("Data table").click()
    cells = page.locator(".bars-table tbody tr").first.locator("td")
    expect(page.locator(".bars-table thead th").last).to_have_text("RSI(7)")
    expect(cells).to_have_count(6)
    assert cells.last.inner_text().replace(".", "").isdigit()
    dialog = open_dialog(page)
    dialog.get_by_role("button", name="Remove RSI(7)").press("Enter")
    expect(legend).to_have_count(0)
    assert page.evaluate("localStorage.getItem('portal:indicators')") == "[]"


def test_own_formula_shows_its_mistake_then_is_drawn_and_is_nobody_elses(
    live_portal: LivePortal, page: Page, new_page: NewPage
) -> None:
    bring_axe(page)
    sign_in(page, live_portal.url, live_portal.create_trader("alice-writes")).wait_until_live()
    legend = page.locator(".indicator-legend li")
    dialog = open_dialog(page)
    dialog.get_by_role("button", name="New formula").press("Enter")
    page.keyboard.type("my middle")
    text = dialog.get_by_label("Formula", exact=True)
    text.fill("(high + lw) / 2")

    dialog.get_by_role("button", name="Keep and draw").press("Enter")

    expect(dialog.get_by_text("Nothing is called lw;")).to_be_visible()
    expect(text).to_be_focused()
    assert text.evaluate("node => node.value.slice(node.selectionStart)") == "lw) / 2"
    assert grave_violations(page) == []
    text.fill("(high + low) / 2")
    dialog.get_by_role("button", name="Keep and draw").press("Enter")
    expect(dialog.get_by_text("my middle is kept and drawn.")).to_be_visible()
    expect(legend).to_contain_text("my middle")

    other = new_page()
    sign_in(other, live_portal.url, live_portal.create_trader("charlie-looks")).wait_until_live()
    others = open_dialog(other)
    expect(others.locator("[data-formulas] li")).to_have_count(0)
    # What this browser remembers of somebody else's formula is not drawn, and takes no bars away.
    other.evaluate(
        "keys => localStorage.setItem('portal:indicators', keys)",
        page.evaluate("localStorage.getItem('portal:indicators')"),
    )
    other.reload()
    expect(other.locator(".indicators-note")).to_contain_text("You have no such formula.")
    expect(other.locator(".legend")).to_contain_text("O ")
    expect(other.locator(".indicator-legend li")).to_have_count(0)
