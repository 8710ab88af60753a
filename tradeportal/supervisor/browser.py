"""Finds a Chromium for the browser tests, or installs one where this machine allows it.

Order: PORTAL_CHROMIUM, PATH, the Debian package (as root), Playwright's own download. Without any
the browser tests skip and say why.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tradeportal.supervisor import console
from tradeportal.supervisor.errors import PortalError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DEBIAN_PACKAGES = ("chromium", "fonts-dejavu-core")


def find_or_install(log: Path) -> str | None:
    """The path of a Chromium; None when there is none and none can be installed."""
    found = find()
    if found:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES]
        try:
            console.run_step(
                "Updating the package lists", ["apt-get", "update"], log=log,
                environment=environment,
            )  # fmt: skip
            console.run_step("Installing Chromium", install, log=log, environment=environment)
        except PortalError as error:
            console.say(f"  ..  {error}")
        found = find()
        if found:
            return found
    return _playwright(log)


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
