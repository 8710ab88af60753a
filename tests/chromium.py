"""The Chromium of the browser tests: found here, started so that it asks nobody anything, watched.

`./portal test` installs one where it can and names it in PORTAL_CHROMIUM. Playwright keeps an event
loop in this thread, which Django's ORM refuses to share: start it for a module, not for a session.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

PATIENCE_SECONDS = 60
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
COLLECT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A headless Chromium; skips the test where there is none."""
    program = os.environ.get("PORTAL_CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium here: PORTAL_CHROMIUM names none and PATH has none")
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def be_patient(context: BrowserContext) -> BrowserContext:
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    context.add_init_script(COLLECT_VIOLATIONS)
    return context


class Watch:
    """What a page complains about, and whom it asks besides its own portal."""

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        self._host = urlsplit(url).netloc
        self._told: list[str] = []
        self.strangers: list[str] = []
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._told.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._see(request.url))

    @property
    def complaints(self) -> list[str]:
        """Console errors and warnings, uncaught exceptions, violations of the page's policy."""
        return [*self._told, *self._page.evaluate("() => window.violations")]

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self._told.append(f"console {kind}: {text}")

    def _see(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != self._host:
            self.strangers.append(url)
