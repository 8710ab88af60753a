"""Axe, the accessibility checker: a development package of static/, run inside a page.

It comes as an init script, since the pages' policy lets nobody inject one later.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "static" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that another theme may break."""


def bring_axe(page: Page) -> None:
    """Have axe in every page that is opened from now on; skips the test where it is missing."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run npm ci in static/")
    page.add_init_script(path=AXE)


def grave_violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Serious and critical violations of the page as it stands, each with where and why; of these
    `rules` alone when some are named.
    """
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['html'][:120]}: {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
