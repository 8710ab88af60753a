"""Finds a Chromium for the browser tests, or installs one where this machine allows it.

Order: PORTAL_CHROMIUM, PATH, a Debian package (as root), Playwright's own download; the headless
shell before a whole Chromium, for it draws the same pages with half the CPU. Without any the
browser tests skip and say why.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tradeportal.supervisor import console
from tradeportal.supervisor.errors import PortalError

NAMES = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome",
    "google-chrome-stable", "chrome",
)  # fmt: skip
DEBIAN_PACKAGES = ("chromium-headless-shell", "chromium")
"""One of these; older releases have only the second."""
FONTS = "fonts-dejavu-core"


def find_or_install(log: Path) -> str | None:
    """The path of a Chromium; None when there is none and none can be installed."""
    found = find()
    if found:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _install("Updating the package lists", ["update"], log)
        for package in DEBIAN_PACKAGES:
            packages = ["install", "-y", "--no-install-recommends", package, FONTS]
            _install(f"Installing {package}", packages, log)
            found = find()
            if found:
                return found
    return _playwright(log)


def _install(label: str, arguments: list[str], log: Path) -> None:
    """A step of apt-get; that it failed is said and hinders nothing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        console.run_step(label, ["apt-get", *arguments], log=log, environment=environment)
    except PortalError as error:
        console.say(f"  ..  {error}")


def find() -> str | None:
    """A Chromium that is already here."""
    given = os.environ.get("PORTAL_CHROMIUM")
    if given:
        return given
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    return _downloaded()


def _playwright(log: Path) -> str | None:
    try:
        console.run_step(
            "Downloading Chromium",
            [sys.executable, "-m", "playwright", "install", "chromium-headless-shell"],
            log=log,
        )
    except PortalError:
        console.say("  ..  No Chromium could be installed: the browser tests will be skipped")
        return None
    return _downloaded()


def _downloaded() -> str | None:
    """Playwright's newest download, in its cache directory."""
    caches = [
        os.environ.get("PLAYWRIGHT_BROWSERS_PATH"),
        str(Path.home() / ".cache" / "ms-playwright"),
        str(Path.home() / "Library" / "Caches" / "ms-playwright"),
    ]
    for cache in filter(None, caches):
        for pattern in (
            "chromium*/*/headless_shell",
            "chromium*/*/chrome*",
            "chromium*/*/Chromium",
        ):
            for program in sorted(Path(cache).glob(pattern), reverse=True):
                if program.is_file() and os.access(program, os.X_OK):
                    return str(program)
    return None
