"""The terminal as the end-to-end tests use it: signing in, the ticket, and what the page shows.

Waiting is Playwright's: nothing here sleeps, nothing reloads.
"""

from decimal import Decimal

from playwright.sync_api import Locator, Page, expect

from tests.live_portal import SignIn

LIVE = "tp-connection[data-state=live]"


def sign_in(page: Page, url: str, person: SignIn) -> "Terminal":
    """Sign in by the form and wait until the terminal is live (without scripts: until it opens)."""
    enter(page, url, person)
    page.wait_for_url(f"{url}/terminal*")
    return Terminal(page)


def enter(page: Page, url: str, person: SignIn) -> None:
    """Sign in by the form, and wait until it has been left for whatever comes next."""
    page.goto(f"{url}/")
    page.get_by_label("User name").fill(person.username)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/accounts/sign-in" not in address)


def money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


class Terminal:
    """One open terminal."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.chip = page.locator("tp-connection")
        self.status = page.locator("tp-ticket [data-field=status]")
        self.note = page.locator("tp-ticket [data-field=preview-note]")
        self.submit = page.locator("tp-ticket button[type=submit]")
        self.toasts = page.locator("#toasts .toast")

    def wait_until_live(self) -> "Terminal":
        expect(self.page.locator(LIVE)).to_be_visible()
        return self

    # --- Orders

    def write(
        self,
        side: str,
        quantity: str,
        limit_price: str = "",
        time_in_force: str = "GTC",
        stop_price: str = "",
    ) -> None:
        """Fill in the ticket; which prices there are makes the order's type."""
        kinds = {(True, True): "Stop limit", (True, False): "Limit", (False, True): "Stop"}
        kind = kinds.get((bool(limit_price), bool(stop_price)), "Market")
        ticket = self.page.locator("tp-ticket")
        ticket.get_by_role("radio", name=side, exact=True).check()
        ticket.get_by_role("radio", name=kind, exact=True).check()
        ticket.get_by_label("In force").select_option(time_in_force)
        ticket.get_by_label("Quantity").fill(quantity)
        if stop_price:
            ticket.get_by_label("Stop price").fill(stop_price)
        if limit_price:
            ticket.get_by_label("Limit price").fill(limit_price)

    def place(self, side: str, quantity: str, limit_price: str = "") -> None:
        self.write(side, quantity, limit_price)
        self.submit.click()

    # --- What is shown

    def figure(self, name: str) -> Locator:
        """One figure of the account strip: total, locked, free, equity or unrealized."""
        return self.page.locator(f"tp-account [data-field={name}]")

    def amount(self, name: str) -> Decimal:
        return Decimal(self.figure(name).inner_text().replace(",", ""))

    def row(self, panel: str, number: int = 0) -> Locator:
        """One row of the blotter's orders, positions or fills, from the top."""
        return self.rows(panel).nth(number)

    def rows(self, panel: str) -> Locator:
        return self.page.locator(f"[data-panel={panel}] tbody tr")

    def cells(self, panel: str) -> list[list[str]]:
        """The texts of every row of a panel."""
        read: list[list[str]] = self.rows(panel).evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
        )
        return read

    def choose(self, panel: str) -> None:
        self.page.locator(f"[data-tab={panel}]").click()

    @property
    def bell(self) -> Locator:
        """The number on the bell; hidden while there is nothing unread."""
        return self.page.locator("[data-badge]")

    # --- Whether it is still the same page

    def mark(self) -> None:
        self.page.evaluate("() => { window.isTheSamePage = true }")

    def is_the_same_page(self) -> bool:
        return bool(self.page.evaluate("() => window.isTheSamePage === true"))
