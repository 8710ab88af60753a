"""Watchlists, search, time and sales and the ladder in a real browser, by mouse and by keyboard."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import Watch
from tests.e2e.conftest import NewPage
from tests.e2e.terminal import LIVE, enter, sign_in
from tests.live_portal import LivePortal, SignIn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.xdist_group("pages"),
]
ROWS = ".rank-row"
FOUND = ".search-options [role=option]"


@pytest.fixture(scope="module")
def alice(live_portal: LivePortal) -> SignIn:
    return live_portal.create_trader("alice-watches")


@pytest.fixture
def signed_in(page: Page, watch: Watch, live_portal: LivePortal, alice: SignIn) -> Page:
    enter(page, live_portal.url, alice)
    return page


def make_list(page: Page, url: str, name: str, *symbols: str) -> str:
    """A new list made on the page, and its address."""
    page.goto(f"{url}/watchlists")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make it").click()
    for symbol in symbols:
        page.get_by_label("Add an instrument").fill(symbol)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(f"{ROWS}[data-symbol='{symbol}']")).to_be_visible()
    return page.url.partition("?")[0]


def order_of(page: Page) -> list[str]:
    found: list[str] = page.locator(ROWS).evaluate_all("rows => rows.map(row => row.dataset.item)")
    return found


def expect_order(page: Page, symbols: list[str]) -> None:
    for place, symbol in enumerate(symbols):
        expect(page.locator(ROWS).nth(place)).to_have_attribute("data-item", symbol)


def test_a_list_is_ordered_by_keys_by_buttons_and_by_dragging(
    signed_in: Page, watch: Watch, live_portal: LivePortal
) -> None:
    page = signed_in
    address = make_list(page, live_portal.url, "Ordered", "AAPL", "MSFT", "GOOG")

    page.get_by_role("link", name="GOOG", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")
    expect_order(page, ["AAPL", "GOOG", "MSFT"])
    expect(page.get_by_role("link", name="GOOG", exact=True)).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("GOOG, 2 of 3")
    page.get_by_role("button", name="Move AAPL down").click()
    expect_order(page, ["GOOG", "AAPL", "MSFT"])
    handle = page.locator(f"{ROWS}[data-item=MSFT] .handle").bounding_box()
    first = page.locator(ROWS).first.bounding_box()
    assert handle is not None
    assert first is not None
    page.mouse.move(handle["x"] + 8, handle["y"] + 8)
    page.mouse.down()
    page.mouse.move(first["x"] + 8, first["y"] + 4, steps=6)
    with page.expect_response(re.compile("/change$")):
        page.mouse.up()
    expect_order(page, ["MSFT", "GOOG", "AAPL"])

    page.goto(address)
    assert order_of(page) == ["MSFT", "GOOG", "AAPL"]
    assert watch.complaints == []


def test_an_order_that_is_not_kept_moves_back(signed_in: Page, live_portal: LivePortal) -> None:
    page = signed_in
    make_list(page, live_portal.url, "Kept", "AAPL", "MSFT")
    page.route("**/change", lambda route: route.abort())

    page.get_by_role("link", name="MSFT", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")

    expect(page.locator("#toasts .toast")).to_contain_text("The order could not be kept.")
    expect_order(page, ["AAPL", "MSFT"])


def test_a_removed_instrument_is_put_back_where_it_was(
    signed_in: Page, live_portal: LivePortal
) -> None:
    page = signed_in
    make_list(page, live_portal.url, "Undone", "AAPL", "MSFT", "GOOG")

    page.get_by_role("button", name="Remove MSFT").click()
    expect_order(page, ["AAPL", "GOOG"])
    page.get_by_role("button", name="Undo", exact=True).click()

    expect_order(page, ["AAPL", "MSFT", "GOOG"])


def test_rows_are_live_and_only_those_in_sight_are_followed(
    signed_in: Page, live_portal: LivePortal
) -> None:
    page = signed_in
    address = make_list(page, live_portal.url, "Live", "AAPL", "MSFT")
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda text: sent.append(str(text))))

    page.goto(address)
    expect(page.locator(LIVE)).to_be_visible()
    bid = page.locator(f"{ROWS}[data-item=AAPL] [data-field=bid]")
    before = bid.inner_text()

    expect(bid).not_to_have_text(before)
    wanted = " ".join(sent)
    assert "quote:AAPL" in wanted
    assert "quote:GOOG" not in wanted


def test_the_terminal_opens_a_list_and_follows_what_it_shows(
    signed_in: Page, watch: Watch, live_portal: LivePortal
) -> None:
    page = signed_in
    make_list(page, live_portal.url, "Short", "MSFT", "BTC/USD")
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda text: sent.append(str(text))))
    page.goto(f"{live_portal.url}/terminal?symbol=AAPL")
    expect(page.locator(LIVE)).to_be_visible()
    rows = page.locator("tp-watchlist tbody tr")
    everything = rows.count()

    page.get_by_role("combobox", name="Watchlist").select_option("Short")
    expect(rows).to_have_count(2)
    expect(rows.first).to_have_attribute("data-symbol", "MSFT")
    rows.nth(1).get_by_role("link").click()
    expect(page.locator("tp-chart [data-field=symbol]")).to_have_text("BTC/USD")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    assert "list=" in page.url
    assert any("unsubscribe" in text and "quote:GOOG" in text for text in sent)

    page.reload()
    expect(rows).to_have_count(2)
    page.get_by_role("combobox", name="Watchlist").select_option("All instruments")
    expect(rows).to_have_count(everything)
    expect(rows.last.locator("[data-field=last]")).not_to_have_text("–")
    assert watch.complaints == []


def test_a_slash_and_the_arrow_keys_find_an_instrument(
    signed_in: Page, watch: Watch, live_portal: LivePortal
) -> None:
    page = signed_in
    page.goto(f"{live_portal.url}/watchlists")
    box = page.get_by_role("combobox", name="Search instruments")

    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("micro")
    expect(page.locator(FOUND)).to_have_count(1)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#announcer")).to_have_text("1 found. Use the arrow keys.")
    page.keyboard.press("ArrowDown")
    expect(page.locator(FOUND)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="MSFT", exact=True)).to_be_visible()
    assert watch.complaints == []


def test_on_the_terminal_what_is_found_is_chosen_without_leaving(
    live_portal: LivePortal, alice: SignIn, page: Page
) -> None:
    terminal = sign_in(page, live_portal.url, alice).wait_until_live()
    terminal.mark()

    page.keyboard.press("/")
    page.keyboard.type("MSFT")
    expect(page.locator(FOUND)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("tp-chart [data-field=symbol]")).to_have_text("MSFT")
    assert terminal.is_the_same_page()


def test_the_slash_can_be_switched_off(signed_in: Page, live_portal: LivePortal) -> None:
    page = signed_in
    page.goto(f"{live_portal.url}/watchlists")

    page.get_by_role("button", name="Theme and colours").click()
    page.get_by_role("group", name="Single keys").get_by_role("radio", name="Off").check()
    page.keyboard.press("Escape")
    page.locator("#main").focus()
    page.keyboard.press("/")

    expect(page.get_by_role("combobox", name="Search instruments")).not_to_be_focused()


def test_the_tape_stands_still_on_demand_and_says_how_many_came(
    live_portal: LivePortal, alice: SignIn, page: Page
) -> None:
    sign_in(page, live_portal.url, alice).wait_until_live()
    page.goto(f"{live_portal.url}/terminal?symbol=BTC/USD")
    tape = page.locator("tp-tape")
    expect(tape.locator("tbody tr")).not_to_have_count(0)

    tape.get_by_role("region").focus()
    page.keyboard.press("Space")
    expect(tape.get_by_role("button", name="Resume")).to_be_visible()
    times = "rows => rows.map(row => row.textContent)"
    before = tape.locator("tbody tr").evaluate_all(times)
    expect(tape.locator("[data-held]")).to_have_text(re.compile(r"Paused, \d+ new"))
    assert tape.locator("tbody tr").evaluate_all(times) == before

    tape.get_by_role("button", name="Resume").click()
    page.mouse.move(700, 300)
    expect(tape.locator("[data-held]")).to_be_empty()
    tape.get_by_label("Smallest size shown").fill("999999999")
    expect(tape.locator("tbody tr")).to_have_count(0)
    expect(tape.get_by_text("No trade is that large.")).to_be_visible()


def test_the_ladder_puts_levels_together(
    live_portal: LivePortal, alice: SignIn, page: Page, watch: Watch
) -> None:
    sign_in(page, live_portal.url, alice).wait_until_live()
    page.goto(f"{live_portal.url}/terminal?symbol=AAPL")
    ladder = page.locator("tp-ladder")
    best_bid = ladder.locator("tr[data-side=BID] .price").first
    expect(best_bid).to_have_text(re.compile(r"\d+\.\d\d"))

    ladder.get_by_label("Put levels together by").select_option("0.1")

    prices = ladder.locator("tr[data-side=BID] .price")
    expect(prices.filter(has_text=re.compile(r"\.\d[1-9]$"))).to_have_count(0)
    grouped: Any = prices.evaluate_all(
        "cells => cells.map(cell => cell.textContent).filter(text => text !== '–')"
    )
    assert grouped[0].endswith("0")
    assert len(set(grouped)) == len(grouped)

    ladder.get_by_label("Put levels together by").select_option("0")
    ladder.get_by_label("Levels of each side").select_option("50")

    expect(ladder.locator("tr[data-side=BID]")).to_have_count(50)
    expect(best_bid).to_have_text(re.compile(r"\d+\.\d\d"))
    assert watch.complaints == []


def test_without_scripts_a_list_is_made_filled_and_read(
    new_page: NewPage, live_portal: LivePortal, alice: SignIn
) -> None:
    page = new_page(java_script_enabled=False)
    enter(page, live_portal.url, alice)
    address = make_list(page, live_portal.url, "Plain", "AAPL", "MSFT")

    page.get_by_role("button", name="Move MSFT up").click()
    expect_order(page, ["MSFT", "AAPL"])
    page.goto(f"{live_portal.url}/terminal?list={address.rpartition('/')[2]}")
    expect(page.locator("tp-watchlist tbody tr")).to_have_count(2)


def test_the_page_keys_turn_the_month(signed_in: Page, live_portal: LivePortal) -> None:
    code = """
from marketdata.models import Venue
Venue.objects.get_or_create(code="E2E", defaults={"name": "Test", "kind": "INTERNAL"})
"""
    live_portal.manage("shell", "-c", code)
    live_portal.manage("set_venue_calendar", "E2E", "XNYS")
    page = signed_in
    page.goto(f"{live_portal.url}/calendar?calendar=XNYS")
    heading = page.locator("#month-title")
    this_month = heading.inner_text()

    page.get_by_role("region", name="Month").focus()
    page.keyboard.press("PageDown")
    expect(heading).not_to_have_text(this_month)
    expect(page.locator("[data-kind=open] .day-hours").first).to_have_text("09:30–16:00")
    page.get_by_role("region", name="Month").focus()
    page.keyboard.press("PageUp")

    expect(heading).to_have_text(this_month)
