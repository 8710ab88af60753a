"""Changing, canceling and looking back on orders: by mouse, keyboard, touch and without scripts."""

import json

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.chromium import Watch
from tests.e2e.axe import bring_axe, grave_violations
from tests.e2e.conftest import NewPage
from tests.e2e.terminal import Terminal, enter, sign_in
from tests.live_portal import LivePortal, SignIn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]
IN_PLACE = "Done in place: the order keeps its number and its place in the queue."
LAST = "A new order takes over, last in the queue at its price."


@pytest.fixture
def alice(live_portal: LivePortal, request: pytest.FixtureRequest) -> SignIn:
    """A trader of each test's own: what is open is what the test has placed."""
    return live_portal.create_trader(f"alice-{request.node.name}")


def rest(terminal: Terminal, quantity: str, limit_price: str) -> None:
    """Place a buy that stays in the book."""
    terminal.place("Buy", quantity, limit_price=limit_price)
    expect(terminal.status).to_have_text(f"Buy {quantity} AAPL: Working")


def working(terminal: Terminal) -> Locator:
    return terminal.rows("orders").filter(has_text="Working")


def test_less_quantity_is_an_amend_in_place(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch
) -> None:
    bring_axe(page)
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    rest(terminal, "8", "1.25")
    terminal.row("orders").get_by_role("link", name="Change Buy 8 AAPL").click()
    dialog = page.get_by_role("dialog", name="Change Buy 8 AAPL")
    expect(dialog.locator("[data-field=how]")).to_have_text("Nothing is different yet.")

    dialog.get_by_label("Still to fill").fill("3")
    expect(dialog.locator("[data-field=how]")).to_have_text(IN_PLACE)
    expect(dialog.locator("[data-field=left]")).to_have_text("99,996.25")
    assert grave_violations(page) == []
    dialog.get_by_role("button", name="Change the order").click()

    expect(dialog).to_be_hidden()
    expect(terminal.rows("orders")).to_have_count(1)
    expect(terminal.row("orders").locator("td.num").first).to_have_text("3")
    expect(terminal.figure("locked")).to_have_text("3.75")
    assert watch.complaints == []


def test_a_replace_by_keyboard_alone_says_no_before_it_says_yes(
    live_portal: LivePortal, alice: SignIn, page: Page
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    rest(terminal, "2", "1.25")
    link = terminal.row("orders").get_by_role("link", name="Change Buy 2 AAPL")
    link.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Limit price")).to_be_focused()

    page.keyboard.type("99999.00")
    note = dialog.locator("[data-field=note]")
    expect(note).to_contain_text("insufficient balance for USD")
    page.keyboard.press("Enter")
    expect(dialog.locator("[data-field=status]")).to_contain_text("Not changed. insufficient")
    page.keyboard.press("Control+A")
    page.keyboard.type("1.49")
    page.keyboard.press("ArrowUp")
    expect(dialog.locator("[data-field=how]")).to_have_text(LAST)
    page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    expect(terminal.rows("orders")).to_have_count(2)
    assert [row[6] for row in terminal.cells("orders")] == ["1.50", "1.25"]
    assert [row[9] for row in terminal.cells("orders")] == ["Working", "Replaced"]
    expect(terminal.figure("locked")).to_have_text("3.00")


NOTHING_IS_CUT = """section => [...section.querySelectorAll("tbody tr")].every((row) => {
  const { right } = section.getBoundingClientRect();
  return [".wrap .row-link", ".act form .button"].every((part) => row.querySelector(part)
    .getBoundingClientRect().right <= right);
})"""
"""Of no order is the status or a button beyond the edge of its table."""


def place_exits(portal: LivePortal, who: SignIn) -> None:
    """A bracket and a trailing stop, far from whatever the demo market does meanwhile."""
    key = portal.create_key(who.username)
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    same = {"symbol": "AAPL", "side": "buy", "qty": "3", "time_in_force": "gtc"}
    bracket = {
        "type": "limit", "limit_price": "1.25", "order_class": "bracket",
        "take_profit": {"limit_price": "2"}, "stop_loss": {"stop_price": "1", "limit_price": "0.9"},
    }  # fmt: skip
    trailing = {"type": "trailing_stop", "trail_percent": "50"}
    for order in (bracket, trailing):
        answer = httpx.post(f"{portal.url}/v2/orders", json=same | order, headers=headers)
        assert answer.status_code == 200, answer.text


def test_exits_are_in_sight_and_offer_what_may_be_changed(
    live_portal: LivePortal, alice: SignIn, new_page: NewPage
) -> None:
    place_exits(live_portal, alice)
    page = new_page(viewport={"width": 1280, "height": 800})
    bring_axe(page)
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    loss = terminal.rows("orders").filter(has_text="stop loss")
    trailing = terminal.rows("orders").filter(has_text="Trailing")
    expect(loss).to_contain_text("Waits for its entry")
    orders = page.locator("[data-panel=orders]")
    for width in (1280, 1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        if width == 390:
            page.get_by_role("link", name="Orders", exact=True).click()
        expect(loss.locator(".row-link")).to_be_visible()
        assert orders.evaluate(NOTHING_IS_CUT), width
        assert grave_violations(page) == [], width

    loss.get_by_role("link", name="Change Sell 3 AAPL").click()
    dialog = page.get_by_role("dialog", name="Change Sell 3 AAPL")
    expect(dialog).to_contain_text("The order belongs to a group.")
    expect(dialog.get_by_label("Still to fill")).to_be_hidden()
    expect(dialog.get_by_label("In force")).to_be_hidden()
    dialog.get_by_label("Stop price", exact=True).fill("1.1")
    expect(dialog.locator("[data-field=how]")).to_have_text(
        "A new order takes over and goes on waiting for its entry."
    )
    assert grave_violations(page) == []
    dialog.get_by_role("button", name="Change the order").click()
    expect(dialog).to_be_hidden()
    expect(loss.filter(has_text="Waits for its entry")).to_have_count(1)

    trailing.get_by_role("link", name="Change Buy 3 AAPL").click()
    dialog = page.get_by_role("dialog", name="Change Buy 3 AAPL")
    trail = dialog.get_by_role("textbox", name="Trail in percent of the best price")
    expect(trail).to_be_focused()
    trail.fill("100")
    expect(dialog.locator("[data-error=trail]")).to_have_text("Less than 100%, please.")
    trail.fill("0.0001")
    expect(dialog.locator("[data-field=how]")).to_have_text(
        "A new order takes over and waits for its stop price."
    )
    trail.fill("60")
    working = trailing.filter(has_text="Working").locator(".row-link")
    replaced = working.get_attribute("href") or ""
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(working).not_to_have_attribute("href", replaced)  # the successor's row has come
    working.click()
    expect(page.get_by_role("heading", name="Buy 3 AAPL, Trailing stop 60%")).to_be_visible()


def test_what_changes_meanwhile_is_said_in_the_open_dialog(
    live_portal: LivePortal, alice: SignIn, page: Page
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    rest(terminal, "2", "1.25")
    other = page.context.new_page()
    other.goto(f"{live_portal.url}/terminal")
    elsewhere = Terminal(other).wait_until_live()
    terminal.row("orders").get_by_role("link", name="Change Buy 2 AAPL").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Limit price").fill("1.30")

    elsewhere.row("orders").get_by_role("button", name="Cancel Buy 2 AAPL").click()

    expect(dialog.locator("[data-field=status]")).to_have_text(
        "The order is over: Canceled. There is nothing left to change."
    )
    expect(dialog.get_by_role("button", name="Change the order")).to_have_attribute(
        "aria-disabled", "true"
    )


def test_orders_of_one_side_are_canceled_together_by_touch(
    live_portal: LivePortal, alice: SignIn, new_page: NewPage
) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    bring_axe(page)
    terminal = sign_in(page, live_portal.url, alice)
    page.get_by_role("link", name="Trade", exact=True).tap()
    rest(terminal, "1", "1.25")
    rest(terminal, "2", "1.50")
    page.get_by_role("link", name="Orders", exact=True).tap()
    expect(working(terminal)).to_have_count(2)
    for target in terminal.row("orders").locator(".acts .button").all():
        box = target.bounding_box()
        assert box is not None
        assert (box["width"] >= 43.5, box["height"] >= 43.5) == (True, True)
        assert box["x"] + box["width"] <= 390
    page.get_by_role("link", name="Cancel orders…").tap()
    dialog = page.get_by_role("dialog", name="Cancel orders")

    dialog.get_by_role("radio", name="Sells").tap()
    expect(dialog.get_by_role("button", name="No such order is open")).to_be_visible()
    dialog.get_by_role("radio", name="Buys").tap()
    assert grave_violations(page) == []
    dialog.get_by_role("button", name="Cancel 2 orders").tap()

    expect(dialog).to_be_hidden()
    expect(working(terminal)).to_have_count(0)
    expect(page.get_by_role("link", name="Cancel orders…")).to_be_hidden()


def test_without_scripts_an_order_is_changed_and_canceled_by_forms(
    live_portal: LivePortal, alice: SignIn, new_page: NewPage
) -> None:
    page = new_page(java_script_enabled=False)
    terminal = sign_in(page, live_portal.url, alice)
    told = page.get_by_role("region", name="Messages")
    terminal.write("Buy", "5", limit_price="1.25")
    terminal.submit.click()
    terminal.row("orders").get_by_role("link", name="Change Buy 5 AAPL").click()

    page.get_by_label("Still to fill").fill("2")
    page.get_by_role("button", name="What if").click()
    expect(page.locator("[data-field=how]")).to_have_text(IN_PLACE)
    page.get_by_role("button", name="Change the order").click()
    expect(told).to_have_text("Buy 2 AAPL: lowered in its place.")
    page.get_by_role("link", name="Cancel orders…").click()
    page.get_by_role("button", name="Cancel these orders").click()
    expect(told).to_have_text("Orders canceled: 1.")


def test_an_orders_page_lives_while_it_is_open_and_is_nobody_elses(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch, new_page: NewPage
) -> None:
    bring_axe(page)
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    rest(terminal, "3", "1.25")
    opened = page.context.new_page()
    bring_axe(opened)
    opened.goto(terminal.row("orders").get_by_role("link", name="Working").evaluate("a => a.href"))
    Terminal(opened).wait_until_live()
    expect(opened.get_by_role("heading", name="Buy 3 AAPL, Limit 1.25")).to_be_visible()
    history = opened.locator(".history li")
    expect(history).to_have_count(1)

    terminal.row("orders").get_by_role("button", name="Cancel Buy 3 AAPL").click()

    expect(history.first).to_contain_text("Canceled with 3 unfilled. Canceled on request.")
    expect(opened.locator("[data-field=status]")).to_have_text("Canceled")
    expect(opened.get_by_role("button", name="Cancel the order")).to_be_hidden()
    expect(opened.locator("svg.picture .mark")).to_have_count(2)
    assert grave_violations(opened) == []
    assert watch.complaints == []
    charlie = live_portal.create_trader(f"charlie-of-{alice.username}")
    stranger = new_page()
    sign_in(stranger, live_portal.url, charlie)
    answer = stranger.goto(opened.url)
    assert answer is not None
    assert answer.status == 404


def test_an_operator_ends_an_order_and_its_owner_reads_why(
    live_portal: LivePortal, alice: SignIn, page: Page, new_page: NewPage
) -> None:
    made = live_portal.manage(
        "create_user", "--username", f"olga-of-{alice.username}", "--role", "operator", "--json"
    )
    olga = SignIn(f"olga-of-{alice.username}", json.loads(made)["password"])
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    rest(terminal, "7", "1.25")
    desk = new_page()
    bring_axe(desk)
    enter(desk, live_portal.url, olga)
    desk.goto(f"{live_portal.url}/operate/orders")
    Terminal(desk).wait_until_live()
    queued = desk.locator("#queue tbody tr").filter(has_text=alice.username)
    expect(queued).to_have_count(1)
    queued.get_by_text("Cancel…").click()
    queued.get_by_label("Why, for its owner").fill("A fat finger")
    assert grave_violations(desk) == []

    queued.get_by_role("button", name="Cancel it").click()

    expect(desk.get_by_role("region", name="Messages")).to_have_text("Buy 7 AAPL: Canceled")
    expect(queued).to_have_count(0)
    expect(terminal.status).to_have_text("Buy 7 AAPL: Canceled")
    told = terminal.toasts.filter(has_text="An operator canceled your order to buy 7 AAPL")
    expect(told).to_contain_text("Reason: A fat finger.")
    terminal.row("orders").get_by_role("link", name="Canceled").click()
    expect(page.locator(".history li").first).to_contain_text(
        "Canceled by an operator. A fat finger"
    )


def test_an_operator_halts_a_market_with_a_reason(
    live_portal: LivePortal, alice: SignIn, page: Page, new_page: NewPage
) -> None:
    made = live_portal.manage(
        "create_user", "--username", f"olga-of-{alice.username}", "--role", "operator", "--json"
    )
    olga = SignIn(f"olga-of-{alice.username}", json.loads(made)["password"])
    desk = new_page(viewport={"width": 390, "height": 844})
    bring_axe(desk)
    enter(desk, live_portal.url, olga)
    desk.goto(f"{live_portal.url}/operate/markets")
    row = desk.locator("tbody tr").filter(has_text="IBM")

    for state, word in (("HALTED", "Halted"), ("OPEN", "Open")):
        row.get_by_text("Change…").click()
        row.get_by_label("New state").select_option(state)
        row.get_by_label("Why", exact=True).fill("A test of the bell")
        row.get_by_role("button", name="Set").click()
        expect(row.locator(".tag")).to_have_text(word)
        assert grave_violations(desk) == []
