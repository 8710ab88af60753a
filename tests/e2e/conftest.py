"""A Chromium for each module of end-to-end tests, and pages in contexts of their own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.chromium import Watch, be_patient, running_chromium
from tests.live_portal import LivePortal

NewPage = Callable[..., Page]
DESKTOP: ViewportSize = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """A page of somebody new, or of whoever the options say (Playwright's new_context)."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> Page:  # Any: Playwright's options
        context = be_patient(browser.new_context(**{"viewport": DESKTOP, **options}))
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()


@pytest.fixture
def watch(page: Page, live_portal: LivePortal) -> Watch:
    return Watch(page, live_portal.url)
