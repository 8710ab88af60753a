"""The ticket with every type and condition: live, by keyboard, by touch, and without scripts."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import Watch
from tests.e2e.axe import bring_axe, grave_violations
from tests.e2e.conftest import NewPage
from tests.e2e.terminal import Terminal, sign_in
from tests.live_portal import LivePortal, SignIn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]


NUMBER = re.compile(r"[\d,]+\.\d\d")


@pytest.fixture(scope="module")
def alice(live_portal: LivePortal) -> SignIn:
    return live_portal.create_trader("alice-ticket")


def test_a_stop_limit_order_waits_with_both_its_prices(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    terminal.write("Buy", "2", limit_price="9001.00", stop_price="9000.00")
    what_if = page.locator("tp-ticket .preview")

    expect(terminal.submit).to_have_text("Buy 2 AAPL stop 9,000.00 limit 9,001.00 — PAPER")
    expect(what_if.locator("[data-field=notional]")).to_have_text("18,002.00")
    expect(what_if.locator("[data-field=left]")).to_have_text("81,998.00")
    expect(page.locator("[data-field=outlook]")).to_have_text(
        "Waits until the market trades at 9,000."
    )
    terminal.submit.click()

    expect(terminal.status).to_have_text("Buy 2 AAPL: Working")
    expect(terminal.figure("free")).to_have_text("81,998.00")
    terminal.row("orders").get_by_role("button", name="Cancel Buy 2 AAPL").click()
    expect(terminal.figure("free")).to_have_text("100,000.00")
    assert watch.complaints == []


def test_what_does_not_fit_is_told_beside_its_field(
    live_portal: LivePortal, alice: SignIn, page: Page
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    terminal.write("Buy", "1", limit_price="9000.00")
    ticket = page.locator("tp-ticket")
    ticket.get_by_text("More").click()
    ticket.get_by_label("Post only").check()
    expect(terminal.note).to_contain_text("would trade at once")
    terminal.submit.click()

    price = ticket.get_by_label("Limit price")
    expect(ticket.locator("#ticket-price-error")).to_contain_text("would trade at once")
    expect(price).to_be_focused()
    expect(price).to_have_attribute("aria-invalid", "true")
    ticket.get_by_label("In force").select_option("IOC")
    expect(ticket.locator("#ticket-post-error")).to_contain_text("Only a limit order")
    expect(terminal.submit).to_have_attribute("aria-disabled", "true")
    expect(terminal.rows("orders").filter(has_text="Working")).to_have_count(0)


def test_the_ticket_is_written_and_sent_by_keyboard_alone(
    live_portal: LivePortal, alice: SignIn, page: Page
) -> None:
    bring_axe(page)
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    press = page.keyboard.press
    page.locator("tp-ticket [name=side][value=BUY]").focus()
    for key in ("Tab", "ArrowRight", "ArrowRight", "Tab"):  # Limit, Market, Stop
        press(key)
    page.keyboard.type("3")
    press("ArrowUp")
    for _ in range(5):  # over the four shares to the stop price
        press("Tab")
    page.keyboard.type("9000")
    press("Shift+ArrowUp")
    press("Tab")  # no exits
    press("Tab")
    press("ArrowDown")  # until canceled
    press("Tab")
    press("Enter")  # More
    for _ in range(4):  # over post only, reduce only and what it shows at a time
        press("Tab")
    press("ArrowDown")

    expect(page.locator("[data-field=conditions]")).to_have_text("own orders")
    expect(terminal.submit).to_have_text("Buy 4 AAPL stop 9,000.10 — PAPER")
    assert grave_violations(page) == []
    press("Tab")
    press("Enter")

    expect(terminal.status).to_have_text("Buy 4 AAPL: Working")
    terminal.row("orders").get_by_role("button", name="Cancel Buy 4 AAPL").click()
    expect(terminal.row("orders").locator("td.wrap")).to_have_text("Canceled")


def test_the_ticket_is_written_by_touch_on_a_phone(
    live_portal: LivePortal, alice: SignIn, new_page: NewPage
) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    terminal = sign_in(page, live_portal.url, alice)
    page.get_by_role("link", name="Trade", exact=True).tap()
    ticket = page.locator("tp-ticket")
    ticket.get_by_text("More").tap()
    ticket.get_by_text("Post only").tap()
    ticket.get_by_role("button", name="One lot more").tap()
    ticket.get_by_label("Limit price").fill("1.00")

    expect(page.locator("[data-field=outlook]")).to_have_text("Rests in the book.")
    small = ticket.locator("button, summary, .check, select, input:not([type=radio])").evaluate_all(
        "nodes => nodes.filter(node => node.checkVisibility() && node.type !== 'checkbox'"
        " && node.type !== 'hidden' && node.getBoundingClientRect().height < 43.5)"
        ".map(node => node.outerHTML.slice(0, 90))"
    )
    assert small == []
    terminal.submit.tap()
    expect(terminal.status).to_have_text("Buy 1 AAPL: Working")
    page.get_by_role("link", name="Orders", exact=True).tap()
    terminal.row("orders").get_by_role("button", name="Cancel Buy 1 AAPL").tap()
    expect(terminal.row("orders").locator("td.wrap")).to_have_text("Canceled")


def test_without_scripts_the_ticket_places_a_stop_and_names_a_wrong_field(
    live_portal: LivePortal, alice: SignIn, new_page: NewPage
) -> None:
    page = new_page(java_script_enabled=False)
    terminal = sign_in(page, live_portal.url, alice)
    told = page.get_by_role("region", name="Messages")

    terminal.write("Buy", "2", stop_price="9000.001")
    terminal.submit.click()
    expect(page.locator("#ticket-stop-error")).to_contain_text("It must be a multiple of 0.01")
    expect(page.locator("tp-ticket").get_by_label("Stop price")).to_have_value("9000.001")

    Terminal(page).write("Buy", "2", stop_price="9000.00")
    terminal.submit.click()
    expect(told).to_have_text("Buy 2 AAPL: Working")
    terminal.row("orders").get_by_role("button", name="Cancel Buy 2 AAPL").click()
    expect(told).to_have_text("Buy 2 AAPL: Canceled")


def test_a_bracket_is_drawn_placed_and_found_again_leg_by_leg(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch
) -> None:
    bring_axe(page)
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    ticket = page.locator("tp-ticket")
    terminal.write("Buy", "2", limit_price="20.00")
    ticket.get_by_role("radio", name="Bracket").check()
    expect(terminal.submit).to_have_text("Enter a take profit")
    ticket.get_by_role("textbox", name="Take profit").fill("19.00")
    expect(ticket.locator("#ticket-profit-error")).to_have_text("It has to lie above 20.")
    ticket.get_by_role("textbox", name="Take profit").fill("30.00")
    ticket.get_by_role("textbox", name="Stop loss").fill("15.00")

    scale = ticket.get_by_role("img", name="Take profit 30.00 +50.0%")
    expect(scale.locator(".level-gain.up")).to_have_text("+20.00")
    expect(scale.locator(".level-gain.down")).to_have_text("−10.00")
    expect(scale.locator(".level.MARKET")).to_have_count(1)
    expect(ticket.locator("[data-field=ratio]")).to_have_text("Reward to risk 2.0")
    expect(ticket.locator("[data-field=headroom]")).to_have_text("none on its path")
    assert grave_violations(page) == []
    terminal.submit.click()
    expect(terminal.status).to_have_text("Buy 2 AAPL: Working")
    expect(terminal.rows("orders").filter(has_text="Waits for its entry")).to_have_count(2)

    held = terminal.rows("orders").filter(has_text="Stop GTC, stop loss").first
    opened = page.context.new_page()
    bring_axe(opened)
    opened.goto(held.get_by_role("link", name="Waits for its entry").evaluate("a => a.href"))
    Terminal(opened).wait_until_live()
    group = opened.locator("[data-part=group] li")
    expect(group).to_have_count(3)
    expect(group.nth(2)).to_have_attribute("aria-current", "true")
    expect(opened.get_by_role("img", name="Take profit 30.00 +50.0%")).to_be_visible()
    assert grave_violations(opened) == []
    group.first.get_by_role("link").click()
    expect(opened.get_by_role("heading", name="Buy 2 AAPL, Limit 20.00")).to_be_visible()
    Terminal(opened).wait_until_live()
    opened.get_by_role("button", name="Cancel the order").click()
    expect(opened.locator("[data-part=group] .tag")).to_have_text(["Canceled"] * 3)
    assert watch.complaints == []


def test_a_trailing_stop_follows_the_market_in_blotter_and_page(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    ticket = page.locator("tp-ticket")
    ticket.get_by_role("radio", name="Market").check()
    ticket.get_by_role("radio", name="Value").check()
    ticket.get_by_role("textbox", name="Value").fill("1000")
    expect(page.locator("[data-field=outlook]")).to_contain_text("at what is offered now.")
    terminal.submit.click()
    expect(terminal.status).to_contain_text("AAPL: Filled")

    for side in ("Sell", "Buy"):
        ticket.get_by_role("radio", name=side).check()
        ticket.get_by_role("radio", name="Trailing").check()
        ticket.get_by_label("Quantity").fill("1")
        ticket.get_by_role("textbox", name="Trail").fill("50")
        expect(terminal.submit).to_have_text(f"{side} 1 AAPL trailing 50% — PAPER")
        expect(page.locator("[data-field=outlook]")).to_contain_text("Its stop begins at")
        terminal.submit.click()
        expect(terminal.status).to_have_text(f"{side} 1 AAPL: Working")

    rows = terminal.rows("orders").filter(has_text="Trailing stop")
    marks = rows.locator(".sub")
    expect(marks).to_contain_text(["mark ", "mark "])
    first = marks.all_inner_texts()
    opened = page.context.new_page()
    bring_axe(opened)
    opened.goto(rows.last.get_by_role("link", name="Working").evaluate("a => a.href"))
    Terminal(opened).wait_until_live()
    expect(opened.get_by_role("heading", name="Sell 1 AAPL, Trailing stop 50%")).to_be_visible()
    expect(opened.locator("[data-field=mark]")).to_have_text(NUMBER)
    assert grave_violations(opened) == []
    expect(marks).not_to_have_text(first)  # whichever way the market goes, it moves one of them
    (low, high), (first_low, first_high) = (
        [number_in(text) for text in texts] for texts in (marks.all_inner_texts(), first)
    )
    assert (low <= first_low, high >= first_high) == (True, True)
    for side in ("Sell", "Buy"):
        rows.get_by_role("button", name=f"Cancel {side} 1 AAPL").click()
    expect(opened.locator("[data-field=status]")).to_have_text("Canceled")
    assert watch.complaints == []


def number_in(text: str) -> Decimal:
    found = NUMBER.search(text)
    assert found is not None
    return Decimal(found.group().replace(",", ""))


def test_without_scripts_exits_are_asked_what_if_and_placed(
    live_portal: LivePortal, alice: SignIn, new_page: NewPage
) -> None:
    page = new_page(java_script_enabled=False)
    bring_axe(page)
    terminal = sign_in(page, live_portal.url, alice)
    terminal.write("Buy", "1", limit_price="20.00")
    ticket = page.locator("tp-ticket")
    expect(ticket.get_by_role("textbox", name="Stop loss")).to_be_hidden()
    ticket.get_by_role("radio", name="OTO").check()
    ticket.get_by_role("button", name="What if").click()

    expect(ticket.locator("#ticket-profit-error")).to_contain_text("one of the two")
    ticket.get_by_role("textbox", name="Stop loss").fill("15.00")
    ticket.get_by_role("button", name="What if").click()
    expect(ticket.get_by_role("img", name="Stop loss 15.00")).to_be_visible()
    expect(ticket.locator("[data-field=left]")).not_to_have_text("–")
    Terminal(page).submit.click()
    expect(page.get_by_role("region", name="Messages")).to_have_text("Buy 1 AAPL: Working")
    expect(terminal.rows("orders").filter(has_text="Waits for its entry")).to_have_count(1)
    terminal.rows("orders").get_by_role("button", name="Cancel Buy 1 AAPL").click()
