"""The first thing everybody does, in a real browser: sign in, place an order, watch it fill."""

import email
import email.policy
import time
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import PATIENCE_SECONDS, Watch
from tests.e2e.conftest import NewPage
from tests.e2e.terminal import Terminal, money, sign_in
from tests.live_portal import LivePortal, SignIn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]
CASH = Decimal(100_000)


@pytest.fixture(scope="module")
def alice(live_portal: LivePortal) -> SignIn:
    return live_portal.create_trader("alice-fills")


@pytest.fixture(scope="module")
def charlie(live_portal: LivePortal) -> SignIn:
    return live_portal.create_trader("charlie-fills")


def written(price: Decimal) -> str:
    """A price as messages write it: at least two digits after the point."""
    return f"{price:.2f}" if price == round(price, 2) else f"{price.normalize():f}"


def mails_to(address: str, directory: Path) -> list[EmailMessage]:
    found = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in sorted(directory.glob("*.eml"))
    ]
    return [mail for mail in found if mail["To"] == address]


def wait_for_mail(address: str, directory: Path) -> EmailMessage:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (mails := mails_to(address, directory)):
        assert time.monotonic() < deadline, f"no mail to {address}"
        time.sleep(0.2)
    return mails[0]


def test_the_market_moves_on_the_page(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    terminal.mark()
    quote = page.locator("tp-watchlist tr[data-symbol=AAPL] .quote-pair")
    depth = page.locator("tp-ladder tbody")
    trades = page.locator("tp-tape tbody tr").first
    before = [quote.inner_text(), depth.inner_text(), trades.inner_text()]

    for place, text in zip((quote, depth, trades), before, strict=True):
        expect(place).not_to_have_text(text, use_inner_text=True)

    assert terminal.is_the_same_page()
    assert watch.complaints == []
    assert watch.strangers == []


def test_a_market_order_fills_and_everything_follows_without_a_reload(
    live_portal: LivePortal, page: Page, watch: Watch
) -> None:
    alice = live_portal.create_trader("alice-first")
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    terminal.mark()
    expect(terminal.figure("total")).to_have_text(money(CASH))
    expect(terminal.bell).to_be_hidden()

    terminal.write("Buy", "5")
    expect(terminal.submit).to_have_text("Buy 5 AAPL market — PAPER")
    terminal.submit.click()

    expect(terminal.status).to_have_text("Buy 5 AAPL: Filled")
    expect(terminal.bell).to_have_text("1")
    spent, average = check_the_blotter(terminal)
    for name in ("total", "free"):
        expect(terminal.figure(name)).to_have_text(money(CASH - spent))
    expect(terminal.figure("locked")).to_have_text("0.00")
    title = f"Bought 5 AAPL at {written(average)}"
    sentence = (
        f"Your market order to buy 5 AAPL is complete. Average price {written(average)},"
        f" cash left {money(CASH - spent)} USD. Account Main (PAPER, SIMULATED market)."
    )
    check_the_bell(page, title, sentence)
    order_id = str(terminal.row("orders").get_attribute("data-key"))
    check_the_mail(live_portal, alice, title, sentence, order_id)
    assert terminal.is_the_same_page()

    live = [terminal.cells(panel) for panel in ("orders", "fills")]
    page.reload()
    terminal.wait_until_live()
    assert [terminal.cells(panel) for panel in ("orders", "fills")] == live
    expect(terminal.figure("total")).to_have_text(money(CASH - spent))
    expect(terminal.bell).to_have_text("1")
    assert watch.complaints == []


def check_the_blotter(terminal: Terminal) -> tuple[Decimal, Decimal]:
    """One order, its fills and the position they made; what was spent, and the average price."""
    terminal.choose("fills")
    expect(terminal.row("fills")).to_be_visible()
    fills = terminal.cells("fills")
    assert {(fill[1], fill[2], fill[6]) for fill in fills} == {("AAPL", "Buy", "taker")}
    assert sum(Decimal(fill[3]) for fill in fills) == 5
    spent = sum((Decimal(fill[3]) * Decimal(fill[4]) for fill in fills), Decimal(0))
    average = spent / 5
    terminal.choose("positions")
    expect(terminal.rows("positions")).to_have_count(1)
    expect(terminal.row("positions").locator("td").nth(0)).to_have_text("5")
    position = terminal.cells("positions")[0]
    assert position[:3] == ["AAPL", "5", f"{average:.2f}"]
    terminal.choose("orders")
    expect(terminal.rows("orders")).to_have_count(1)
    order = terminal.cells("orders")[0]
    assert order[1:10] == [
        "AAPL", "Buy", "Market GTC", "5", "5", "–", "–", f"{average:.2f}", "Filled",
    ]  # fmt: skip
    return spent, average


def check_the_bell(page: Page, title: str, sentence: str) -> None:
    page.get_by_role("button", name="Notifications, 1 unread").click()
    menu = page.locator("#bell-menu")
    expect(menu).to_be_visible()
    expect(menu.locator(".bell-list li")).to_have_count(1)
    expect(menu.locator(".bell-list strong")).to_have_text(title)
    expect(menu.locator(".bell-list span")).to_have_text(sentence)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


def check_the_mail(
    portal: LivePortal, alice: SignIn, title: str, sentence: str, order_id: str
) -> None:
    address = f"{alice.username}@example.com"
    mail = wait_for_mail(address, portal.data_dir / "mail")
    page = f"{portal.url}/orders/{order_id}"
    assert mail["Subject"] == title
    assert mail["From"] == "Tradeportal <portal@localhost>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content() == (f"{sentence}\n\n{page}\n\nSent by Tradeportal at {portal.url}\n")
    assert len(mails_to(address, portal.data_dir / "mail")) == 1


def test_a_limit_order_rests_and_its_button_cancels_it(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    terminal.mark()
    cash, power = terminal.amount("total"), terminal.amount("free")

    terminal.place("Buy", "2", limit_price="1.25")

    expect(terminal.status).to_have_text("Buy 2 AAPL: Working")
    resting = terminal.row("orders")
    expect(resting.locator("td.wrap")).to_have_text("Working")
    expect(page.locator("[data-count=orders]")).to_have_text("1")
    expect(terminal.figure("locked")).to_have_text("2.50")
    expect(terminal.figure("free")).to_have_text(money(power - Decimal("2.50")))
    expect(terminal.figure("total")).to_have_text(money(cash))
    resting.get_by_role("button", name="Cancel Buy 2 AAPL").click()

    expect(resting.locator("td.wrap")).to_have_text("Canceled")
    expect(resting.get_by_role("button")).to_be_hidden()
    expect(terminal.status).to_have_text("Buy 2 AAPL: Canceled")
    expect(page.locator("[data-count=orders]")).to_have_text("0")
    expect(terminal.figure("locked")).to_have_text("0.00")
    expect(terminal.figure("free")).to_have_text(money(power))
    expect(terminal.bell).to_be_hidden()
    assert terminal.is_the_same_page()
    assert watch.complaints == []


def test_an_order_too_large_is_refused_with_a_sentence_and_changes_nothing(
    live_portal: LivePortal, alice: SignIn, page: Page
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    power = terminal.amount("free")
    before = terminal.cells("orders"), terminal.cells("fills"), terminal.cells("positions")
    sentence = (
        f"insufficient balance for USD (requested: 200000, available: {power.normalize():f})."
        " Lower the quantity or the price, or cancel orders that hold cash."
    )

    terminal.write("Buy", "2000", limit_price="100")
    expect(terminal.note).to_have_text(sentence)
    terminal.submit.click()

    expect(terminal.status).to_have_text(f"Not placed. {sentence}")
    expect(page.locator("#alarm")).to_have_text(f"Not placed. {sentence}")
    page.reload()
    terminal.wait_until_live()
    assert terminal.amount("free") == power
    assert (
        terminal.cells("orders"),
        terminal.cells("fills"),
        terminal.cells("positions"),
    ) == before
    expect(terminal.bell).to_be_hidden()


def test_nobody_else_sees_any_of_it(
    live_portal: LivePortal, alice: SignIn, charlie: SignIn, new_page: NewPage
) -> None:
    strangers = new_page()
    heard: list[str] = []
    strangers.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))),
    )
    his = sign_in(strangers, live_portal.url, charlie).wait_until_live()
    hers = sign_in(new_page(), live_portal.url, alice).wait_until_live()

    hers.place("Buy", "1")
    expect(hers.status).to_have_text("Buy 1 AAPL: Filled")
    expect(hers.toasts).to_have_count(1)
    his.place("Buy", "3", limit_price="1.00")
    expect(his.status).to_have_text("Buy 3 AAPL: Working")

    expect(his.rows("orders")).to_have_count(1)
    assert [order[1:10] for order in his.cells("orders")] == [
        ["AAPL", "Buy", "Limit GTC", "3", "0", "1.00", "–", "–", "Working"]
    ]
    assert (his.cells("fills"), his.cells("positions")) == ([], [])
    expect(his.figure("total")).to_have_text(money(CASH))
    expect(his.bell).to_be_hidden()
    expect(his.toasts).to_have_count(0)
    theirs = hers.row("orders").locator("form").get_attribute("data-cancel")
    assert heard
    assert not any(str(theirs) in frame for frame in heard)
    his.page.get_by_role("link", name="Cancel orders…").click()
    his.page.get_by_role("button", name="Cancel 1 order").click()
    expect(his.row("orders").locator("td.wrap")).to_have_text("Canceled")


def test_the_page_works_without_scripts(
    live_portal: LivePortal, charlie: SignIn, new_page: NewPage
) -> None:
    page = new_page(java_script_enabled=False)
    terminal = sign_in(page, live_portal.url, charlie)
    told = page.get_by_role("region", name="Messages")

    terminal.place("Buy", "2", limit_price="1.50")
    expect(told).to_have_text("Buy 2 AAPL: Working")
    assert page.url == f"{live_portal.url}/terminal?symbol=AAPL"
    expect(terminal.figure("locked")).to_have_text("3.00")
    terminal.row("orders").get_by_role("button", name="Cancel").click()
    expect(told).to_have_text("Buy 2 AAPL: Canceled")
    expect(terminal.figure("locked")).to_have_text("0.00")

    terminal.place("Buy", "1")
    expect(told).to_have_text("Buy 1 AAPL: Filled")
    expect(terminal.row("positions")).to_contain_text("AAPL")
    expect(terminal.row("fills")).to_contain_text("Buy")

    terminal.place("Sell", "2000", limit_price="9999.00")
    expect(terminal.status).to_contain_text("insufficient qty available for order")
    expect(page.get_by_label("Quantity")).to_have_value("2000")
